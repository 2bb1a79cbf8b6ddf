// One intercepted request on its way through the flow: what its steps share, of the whole and of each search
// that is to be reranked. The questions that it puts to the upstream stand in upstream_steps.hpp.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/flow/failure.hpp"
#include "proxy/flow/services.hpp"
#include "proxy/http/interceptor.hpp"
#include "proxy/rewrite/candidates.hpp"
#include "proxy/rewrite/documents.hpp"
#include "proxy/rewrite/group_order.hpp"
#include "proxy/rewrite/plan.hpp"
#include "proxy/rewrite/projection.hpp"
#include "proxy/rewrite/response.hpp"

namespace qrerank::proxy::flow {

/// One search that is to be reranked. Filled as the steps go.
struct SearchRun {
  std::size_t place = 0;  ///< among the request's searches
  const rewrite::SearchPlan* plan = nullptr;
  std::string model;  ///< chosen by choose_models

  std::optional<Reason> failed;         ///< why its own result comes back; none: it is reranked
  std::vector<rewrite::Judged> judged;  ///< one for each candidate
  std::size_t candidates = 0;           ///< points that got a score
  std::size_t cached = 0;               ///< those of them whose score came from the cache
  reranker::Timings scoring;

  rewrite::Page page;
  std::optional<rewrite::Reread> reread;
  /// A fallback's result as it was asked for again, in RequestRun::own; empty: cut from the candidates.
  std::string_view own_result;

  /// The client gets an error instead of its own result.
  [[nodiscard]] bool refuses() const;
  /// A fallback whose candidates do not hold the client's own result.
  [[nodiscard]] bool must_ask_again() const;
};

struct RequestRun {
  const Services& services;
  std::shared_ptr<const config::Config> config;
  rewrite::SearchKind kind;
  http::InspectedRequest& request;
  rewrite::RequestPlan plan;
  std::vector<SearchRun> searches;  ///< those of the plan's that are to be reranked, in their order

  reranker::Microseconds upstream{0};  ///< waited for it, on the clock: see UpstreamTime
  reranker::Microseconds wall{0};      ///< from the first text handed over to the last score
  std::string_view server;             ///< that was asked first, as configured
  rewrite::DocumentVectors
      vectors;  ///< of the Documents that are not for Qdrant to read; filled by embed_step
  std::optional<reranker::Microseconds> inference;  ///< waited for them, where there were any
  std::optional<rewrite::Answer> own;  ///< the client's own searches, where some were asked again

  RequestRun(const Services& all, std::shared_ptr<const config::Config> settings, rewrite::SearchKind asked,
             http::InspectedRequest& inspected, rewrite::RequestPlan planned);
  RequestRun(const RequestRun&) = delete;
  RequestRun& operator=(const RequestRun&) = delete;

  /// When scoring a search must have ended: its rerank_timeout_ms from now, within the request's own timeout.
  [[nodiscard]] reranker::Clock::time_point scoring_deadline(const SearchRun& search) const;
  /// The body of the client's own request, options stripped.
  [[nodiscard]] std::string own_body() const;
  /// A body for the client's own target as Qdrant gets it: Documents of ours are vectors.
  [[nodiscard]] std::string for_upstream(std::string body) const;
  /// What the answer tells, once all steps are done.
  [[nodiscard]] rewrite::Report report() const;
};

/// Counts the time until it ends as the upstream's.
class UpstreamTime {
 public:
  explicit UpstreamTime(RequestRun& run) : run_(run) {}
  ~UpstreamTime() {
    run_.upstream += std::chrono::duration_cast<reranker::Microseconds>(reranker::Clock::now() - started_);
  }
  UpstreamTime(const UpstreamTime&) = delete;
  UpstreamTime& operator=(const UpstreamTime&) = delete;

 private:
  RequestRun& run_;
  const reranker::Clock::time_point started_ = reranker::Clock::now();
};

}  // namespace qrerank::proxy::flow
