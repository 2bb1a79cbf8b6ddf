// What an answer tells about the reranking: members at the top level, header fields, and how the searches of
// a batch add up. Where these go is response.hpp's work.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/message.hpp"
#include "reranker/types.hpp"

namespace qrerank::proxy::rewrite {

/// Where the time went, for Server-Timing.
struct Spent {
  reranker::Microseconds upstream{0};
  std::optional<reranker::Microseconds>
      inference{};            ///< waited for vectors of Documents, where there were any
  reranker::Timings scoring;  ///< of a batch: of the search that took longest, for they run side by side
};

/// What the answer says about the reranking.
struct Report {
  bool used = false;           ///< candidates were scored and the order is the contract's
  std::string model;           ///< empty: none was chosen
  std::string reason;          ///< only when not used: a member of the closed set
  std::size_t candidates = 0;  ///< points given a rerank_score; told when used
  std::optional<Spent> spent;  ///< none: nothing was done here (a wish passed on), no Server-Timing
  /// From the first text handed over to the last score, where that is not the sum of the stages: of a batch.
  std::optional<reranker::Microseconds> wall;
  /// A batch: what is told of each search, in their order.
  std::optional<std::vector<Report>> searches;

  /// Milliseconds from text to score; told when used.
  [[nodiscard]] double reranking_ms() const;
};

/// The report of a batch: used when one search was, their candidates added up, the model of the first that
/// was used; when none was, the first reason and the first model that there are.
Report batch_report(std::vector<Report> searches, reranker::Microseconds upstream,
                    reranker::Microseconds wall);

/// `"reranking_used":true,"reranker_model":"m","reranking_time_ms":12.345,"reranking_candidates":50`, or
/// `"reranking_used":false,"reranker_model":"m","reranking_reason":"timeout"`: no comma around it. A batch
/// adds `"reranking":[{…},…]` with the same of each search.
std::string report_members(const Report& report);

/// The names of report_headers() that are ours alone (Server-Timing is a list that others add to as well).
inline constexpr std::array<std::string_view, 5> kReportHeaders = {"X-Reranking-Used", "X-Reranking-Reason",
                                                                   "X-Reranker-Model", "X-Reranking-Time-Ms",
                                                                   "X-Reranking-Candidates"};

/// X-Reranking-Used, X-Reranking-Reason, X-Reranker-Model, X-Reranking-Time-Ms, X-Reranking-Candidates with
/// what the body tells, and Server-Timing (upstream, tokenize, queue, compute, in milliseconds, always all
/// four; behind them inference, where there was any) where `spent` is known. Values hold visible ASCII only:
/// anything else in a model's name is percent-encoded.
std::vector<http::Field> report_headers(const Report& report);

}  // namespace qrerank::proxy::rewrite
