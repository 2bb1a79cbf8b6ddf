// One returned point's bytes: new scores in, payload and vectors as the client's own selectors give them.
// Also the second read of the returned points where slices of the first do not suffice.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <unordered_map>
#include <vector>

#include "proxy/rewrite/candidates.hpp"
#include "proxy/rewrite/order.hpp"
#include "proxy/rewrite/plan.hpp"

namespace qrerank::proxy::rewrite {

/// What a reread gave for one point. Empty: the member was not there.
struct RereadPoint {
  std::string_view payload;
  std::string_view vector;
};

/// The answer to POST /collections/{c}/points taken apart. Owns its bytes; records may come in any order.
struct Reread {
  std::unique_ptr<const std::string> body;
  std::unordered_map<std::string_view, RereadPoint> points;  ///< by the id's token as spelled

  [[nodiscard]] const RereadPoint* find(std::string_view id) const;
};

/// The ids of a page's points, as spelled, in page order.
std::vector<std::string_view> page_ids(const CandidateSet& set, std::span<const Ranked> page);

/// The body of the second read: {"ids":[…],"with_payload":…,"with_vector":…,"shard_key":…}, ids and selectors
/// as spelled. Where only vectors are missing the payload is not asked for again. Only for projections that
/// needs_reread(). An empty `ids` needs no read at all.
std::string reread_body(const Projection& projection, std::span<const std::string_view> ids);

/// Takes the second read's 200 answer apart: {"result":[{"id":…,"payload"?,"vector"?}…]}.
tl::expected<Reread, std::string> parse_reread(std::string body);

/// Which of a point's members are replaced.
enum class ScoreMode {
  reranked,  ///< `score` as ranked, then `vector_score` (Qdrant's text, also null), then `rerank_score` if
             ///< scored
  own,       ///< Qdrant's `score` alone
};

/// Appends one point to `out` without separators around it and returns true. False, and nothing appended: the
/// projection needs a reread and `reread` has not the point (it is gone). Members keep their order, unknown
/// ones stay; a payload that comes in anew stands behind the scores, vectors behind the payload. Throws
/// std::logic_error where the projection needs a reread and `reread` is null.
bool append_point(std::string& out, const CandidateSet& set, const Ranked& ranked, ScoreMode mode,
                  const Projection& projection, const Reread* reread);

/// Appends the object `payload` reduced to (keep) or without (drop) the members named; others verbatim.
/// `slack` tells how many readable bytes follow the slice. False: not an object, nothing appended.
bool append_projected(std::string& out, std::string_view payload, std::size_t slack,
                      Projection::Payload which, std::span<const std::string> members);

}  // namespace qrerank::proxy::rewrite
