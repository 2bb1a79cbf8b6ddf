// What an intercepted request asks for, once it has been read: made by the request side (route/, rewrite/
// request), followed by flow/, used by the response side (rewrite/ response). Values only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "reranker/options.hpp"

namespace qrerank::proxy::rewrite {

/// Where an endpoint's answer keeps the hits of a search. In a batch `result` is an array of what is shown
/// here.
enum class HitLayout {
  list,    ///< {"result":[point…]}: search, recommend, discover
  points,  ///< {"result":{"points":[point…]}}: query
  groups,  ///< {"result":{"groups":[{"hits":[point…],"id":…}…]}}
};

/// How a returned point gets exactly the payload and vectors of the client's own selectors.
struct Projection {
  enum class Payload {
    none,    ///< the client asked for none: the member is left out
    whole,   ///< what was fetched is what the client asked for: the slice moves
    keep,    ///< of the fetched object, only the members named (top-level keys, plain slices)
    drop,    ///< of the fetched object, all but the members named
    reread,  ///< read the returned points once more with the client's own selectors
  };
  Payload payload = Payload::none;
  std::vector<std::string> members;  ///< keep, drop: unescaped top-level keys, sorted, each once
  bool vectors = false;              ///< the client asked for vectors: always a reread
  std::string with_payload;          ///< reread: the client's selector as it spelled it; "false" when absent
  std::string with_vector;           ///< reread: likewise
  std::string shard_key;             ///< reread: the request's shard_key as spelled; empty when absent

  [[nodiscard]] bool needs_reread() const { return payload == Payload::reread || vectors; }
};

/// One search, ready to be sent.
struct SearchPlan {
  HitLayout layout = HitLayout::list;
  std::string upstream_body;  ///< widened, options stripped; every other byte as it came
  std::string own_body;  ///< the client's own request, options stripped: for a fallback that sends it again
  bool inner_widened =
      false;  ///< more than a list's limit was raised (prefetches, mmr, groups): a fallback must ask again
  std::uint64_t limit = 10;  ///< what the client asked for: points, or groups
  std::uint64_t offset = 0;
  std::uint64_t group_size = 0;     ///< groups: hits of each that the client asked for
  std::uint64_t top_k = 50;         ///< candidates to score
  std::vector<std::string> fields;  ///< text paths; first_non_empty: the default list
  bool first_non_empty =
      true;                ///< take the first field that has text (no rerank_field given); false: join all
  std::string query_text;  ///< valid UTF-8, not empty
  std::vector<std::string> embedding_models;  ///< `model` of the search's Documents, in their order
  reranker::Options options;  ///< all carriers merged, but for the query; what is absent has its default
  Projection projection;
};

/// A search of a batch that is sent along without being reranked.
struct PassingSearch {
  std::string own_body;   ///< the client's own, options stripped
  bool no_query = false;  ///< it was wished, but there is nothing to rerank against or no order to improve
};

using PlannedSearch = std::variant<SearchPlan, PassingSearch>;

/// An intercepted request, ready to be sent.
struct RequestPlan {
  bool batch = false;                   ///< `result` holds one answer for each search, in an array
  HitLayout layout = HitLayout::list;   ///< of every search
  std::string upstream_body;            ///< the whole body; the single searches' are taken out of their plans
  bool widened = true;                  ///< it is not the client's own request with the options stripped
  std::vector<PlannedSearch> searches;  ///< in the body's order; a request without a batch has one
};

}  // namespace qrerank::proxy::rewrite
