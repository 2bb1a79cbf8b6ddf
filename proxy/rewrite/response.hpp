// The whole answer to the client: Qdrant's envelope, the page of points, and what qrerank tells about itself
// at the top level and in headers. Which failure leads here is flow's decision.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "proxy/rewrite/projection.hpp"
#include "reranker/types.hpp"

namespace qrerank::proxy::rewrite {

/// Where the time went, for Server-Timing.
struct Spent {
  reranker::Microseconds upstream{0};
  reranker::Timings scoring;
};

/// What the answer says about the reranking.
struct Report {
  bool used = false;           ///< candidates were scored and the order is the contract's
  std::string model;           ///< empty: none was chosen
  std::string reason;          ///< only when not used: a member of the closed set
  std::size_t candidates = 0;  ///< points given a rerank_score; told when used
  std::optional<Spent> spent;  ///< none: nothing was done here (a wish passed on), no Server-Timing

  /// tokenize + queue + compute in milliseconds; told when used.
  [[nodiscard]] double reranking_ms() const;
};

/// The reranked answer. `page` from rank(); `reread` null unless the projection needs it.
std::string compose(const CandidateSet& set, std::span<const Ranked> page, const Projection& projection,
                    const Reread* reread, const Report& report);

/// The answer to the client's own request, cut from the candidates: the page from vector_page(), Qdrant's
/// scores.
std::string compose_fallback(const CandidateSet& set, std::span<const Ranked> page,
                             const Projection& projection, const Reread* reread, const Report& report);

/// Adds the report to a complete answer that goes to the client as it is (a fallback sent again). The error
/// says why not: not a JSON object.
tl::expected<std::string, std::string> annotate(std::string body, const Report& report);

/// `"reranking_used":true,"reranker_model":"m","reranking_time_ms":12.345,"reranking_candidates":50`, or
/// `"reranking_used":false,"reranker_model":"m","reranking_reason":"timeout"`: no comma around it.
std::string report_members(const Report& report);

/// The names of report_headers() that are ours alone (Server-Timing is a list that others add to as well).
inline constexpr std::array<std::string_view, 5> kReportHeaders = {"X-Reranking-Used", "X-Reranking-Reason",
                                                                   "X-Reranker-Model", "X-Reranking-Time-Ms",
                                                                   "X-Reranking-Candidates"};

/// X-Reranking-Used, X-Reranking-Reason, X-Reranker-Model, X-Reranking-Time-Ms, X-Reranking-Candidates with
/// what the body tells, and Server-Timing (upstream, tokenize, queue, compute, in milliseconds, always all
/// four) where `spent` is known. Values hold visible ASCII only: anything else in a model's name is
/// percent-encoded.
std::vector<std::pair<std::string_view, std::string>> report_headers(const Report& report);

}  // namespace qrerank::proxy::rewrite
