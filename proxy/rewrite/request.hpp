// From one search object and its merged options to what is sent upstream. Pure bytes to bytes: who may ask
// for what, and in which carrier it said so, is route/'s work; what comes back is response.hpp's.
#pragma once

#include <string>

#include "proxy/rewrite/json_spans.hpp"
#include "proxy/rewrite/json_splice.hpp"
#include "proxy/rewrite/plan.hpp"
#include "proxy/rewrite/request_shape.hpp"
#include "reranker/options.hpp"

namespace qrerank::proxy::rewrite {

/// The members of a search's option places that go before it is sent: every option of the table under either
/// spelling. An emptied `params` or `options` stays as `{}`.
void strip_options(JsonSplice& splice, const JsonValue& search, SearchKind kind);

/// The bytes of `search` without the options; the same bytes when there are none.
std::string stripped(const JsonValue& search, SearchKind kind);

/// What planning needs besides the search.
struct PlanInputs {
  reranker::Options options;      ///< all carriers merged
  reranker::OptionLimits limits;  ///< the configuration's
  std::string query_text;         ///< not empty
};

/// Widens a search that read_search() did not refuse. `upstream_body` and `own_body` are the bytes of
/// `shape.object` (of the whole text, where it is the root). The error says why Qdrant would refuse the
/// search's `with_payload` or `with_vector`: the search then goes stripped, as any other refused one.
tl::expected<SearchPlan, std::string> plan_search(const SearchShape& shape, PlanInputs inputs);

}  // namespace qrerank::proxy::rewrite
