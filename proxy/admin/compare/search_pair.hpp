// The two searches of a comparison: their bodies from what the page asks, and what their answers say. Pure.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "proxy/config/config.hpp"
#include "proxy/upstream/client.hpp"

namespace qrerank::proxy::admin::compare {

struct SearchPair {
  std::string collection;
  std::string plain;                    ///< body with the flag false
  std::optional<std::string> reranked;  ///< body with the flag true; nothing: only vector order is asked for
  /// Where the query is a Document: the flag true and weight 0, which keeps vector order. For a model that
  /// Qdrant does not know but qrerank does: it makes vectors for flagged searches alone.
  std::optional<std::string> weightless;
};

/// From {"collection":…, "search":{…a body of Qdrant's /points/query…}, "options":{…rerank_…}, "rerank":true,
/// "limit":10}; all but the first two may be missing. Both bodies ask for as many hits as are scored
/// (`rerank_top_k`, as the options or the configuration say), at least `limit`: then each hit's place in
/// either order is known. Payloads are asked for where `search` does not say otherwise. What Qdrant and the
/// proxy judge themselves is not judged here. The error says what is wrong, for people.
tl::expected<SearchPair, std::string> pair_from(std::string_view body, const config::Config& config);

/// One side of a comparison:
///   {"status":200, "wall_ms":…, "points":[{"id":"7","score":…,"vector_score"?,"rerank_score"?,"payload"?}],
///    "used":…, "reason"?, "model"?, "time_ms"?, "candidates"?, "timing"?:{"upstream":ms,…}}
///   {"status":404, "wall_ms":…, "error":"…"} where it was not 200: what Qdrant or the proxy said
/// Ids are text: a browser's numbers end at 2^53. `wall_ms` is the time on the clock.
boost::json::object side_of(const upstream::Response& response, double wall_ms);

/// The side of a `weightless` search as that of vector order: Qdrant's scores alone, and the time without
/// what reranking took.
boost::json::object vector_side_of(boost::json::object side);

/// What an error of Qdrant's shape says, else the body's beginning.
std::string error_text(const upstream::Response& response);

/// The body as a JSON object; nothing where it is none. Qdrant lets JSON be 128 deep.
std::optional<boost::json::object> object_in(std::string_view body);

/// {"id":…,"payload":…} as above, without scores.
boost::json::object point_of(const boost::json::object& point);

}  // namespace qrerank::proxy::admin::compare
