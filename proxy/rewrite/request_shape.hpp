// One search object as Qdrant reads it: its known members found, counts and selectors checked as far as the
// rewriting depends on them, its Documents listed. Nothing is changed here; request.hpp plans.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/rewrite/json_spans.hpp"

namespace qrerank::proxy::rewrite {

/// Whose body it is. The members, the spelling of the limit and its default depend on it.
enum class SearchKind {
  search,     ///< `limit` (or `top`; not in groups) required, in groups `group_size` too
  query,      ///< `limit` 10 and `group_size` 3 when absent or null; `prefetch`, Documents
  recommend,  ///< as search
  discover,   ///< as search
};

/// A `query` object of the query endpoint, or a prefetch's.
struct QueryShape {
  std::optional<JsonValue>
      document;                    ///< an object with a string member `text`, at `query` or `query.nearest`
  bool has_order = true;           ///< false: none, null, order_by, sample or context
  std::optional<JsonValue> mmr{};  ///< `query.mmr` beside `nearest`
  std::optional<JsonValue> candidates_limit{};  ///< `query.mmr.candidates_limit`, also when null
};

/// A prefetch, at any depth.
struct PrefetchShape {
  JsonValue object;
  std::optional<JsonValue> limit{};  ///< the member, also when null
  std::uint64_t limit_value = 10;
  QueryShape query{};
};

struct SearchShape {
  JsonValue object;
  SearchKind kind = SearchKind::query;
  bool groups =
      false;  ///< a `…/groups` endpoint: `group_by` and its like are known, `offset` and `top` are not

  std::optional<JsonValue> limit{};  ///< the member, whichever its spelling, also when null
  std::uint64_t limit_value = 10;
  std::optional<JsonValue> offset{};
  std::uint64_t offset_value = 0;
  std::optional<JsonValue> group_size{};  ///< groups: also when null
  std::uint64_t group_size_value = 3;
  std::optional<JsonValue> with_payload{};
  std::optional<JsonValue> with_vector{};  ///< whichever its spelling
  std::optional<JsonValue> shard_key{};
  QueryShape query{};                       ///< kind query only, but for has_order
  std::vector<PrefetchShape> prefetches{};  ///< all of them, each before those inside it, in the text's order

  /// Why Qdrant would refuse the search, for a log line; empty when nothing was found. The other members are
  /// then not to be used.
  std::string refused{};
};

/// Reads one search object. Refused: not an object; a known member twice, or under both of its names;
/// `limit`, `offset`, `group_size`, a prefetch's `limit` or `mmr.candidates_limit` of a wrong type, a limit
/// or group size of 0; a required one that is absent; `prefetch` neither object, list of objects nor null.
/// What else Qdrant may refuse is left to Qdrant.
SearchShape read_search(const JsonValue& search, SearchKind kind, bool groups = false);

/// The Documents of a search in the order in which its text is looked for: `query`, `query.nearest`, then the
/// same of each prefetch.
std::vector<JsonValue> documents_of(const JsonValue& search, SearchKind kind);

/// The objects that may carry options, in their order of precedence: the search itself, its `params`, the
/// `options` of its Documents. Also of a search that would be refused, as far as it can be read.
std::vector<JsonValue> option_places(const JsonValue& search, SearchKind kind);

/// The text of the first Document that has one with anything but white space in it, cut at `max_chars` code
/// points; empty when there is none.
std::string document_text(const JsonValue& search, SearchKind kind, std::size_t max_chars);

/// The embedding models that the Documents name, in the same order; each not empty.
std::vector<std::string> document_models(const JsonValue& search, SearchKind kind);

}  // namespace qrerank::proxy::rewrite
