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

/// The ids of a page's points, as spelled, in page order, each once.
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

/// Prints the points of one answer.
class PointWriter {
 public:
  /// All arguments must outlive the writer. `reread` is null unless the projection needs it.
  PointWriter(const CandidateSet& set, const Projection& projection, const Reread* reread, ScoreMode mode);
  ~PointWriter();
  PointWriter(const PointWriter&) = delete;
  PointWriter& operator=(const PointWriter&) = delete;

  /// Appends one point to `out`, without separators around it, and returns true. False, and nothing appended:
  /// the projection needs a reread and the point is not in it (it is gone). Members keep their order, unknown
  /// ones stay; a payload that comes in anew stands behind the scores, vectors behind the payload.
  /// Throws std::logic_error where the projection needs a reread and none was given.
  bool append(std::string& out, const Ranked& ranked);

 private:
  struct Parser;
  void scores(std::string& out, const Candidate& candidate, const Ranked& ranked) const;
  void payload(std::string& out, const Member* own, const RereadPoint* record);

  const CandidateSet& set_;
  const Projection& projection_;
  const Reread* reread_;
  ScoreMode mode_;
  std::unique_ptr<Parser> parser_;  ///< keep, drop: reads payloads again
};

}  // namespace qrerank::proxy::rewrite
