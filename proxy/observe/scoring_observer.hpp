// From the scoring engine's events to metrics and log lines.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <string>

#include "proxy/observe/metrics/models.hpp"
#include "proxy/observe/metrics/scoring.hpp"
#include "reranker/observer.hpp"

namespace qrerank::proxy::observe {

/// Must outlive the scorers that know it; the metrics must outlive this.
class ScoringObserver final : public reranker::Observer {
 public:
  ScoringObserver(metrics::Scoring& scoring, metrics::Models& models) : scoring_(scoring), models_(models) {}

  void batch_computed(const std::string& model, const reranker::BatchReport& batch,
                      reranker::Microseconds took) override;
  void budget_halved(const std::string& model, std::size_t budget) override;
  /// One gauge for all models: the queues are added up.
  void queue_changed(const std::string& model, std::size_t texts, std::size_t tokens) override;
  void cache_looked_up(const std::string& model, std::size_t hits, std::size_t misses) override;
  void model_changed(const std::string& model, reranker::ModelState state, std::uint64_t bytes) override;
  void load_finished(const std::string& model, bool loaded, const std::string& why,
                     reranker::Microseconds took) override;

 private:
  struct Queue {
    std::size_t texts = 0;
    std::size_t tokens = 0;
  };

  metrics::Scoring& scoring_;
  metrics::Models& models_;
  std::mutex lock_;                      // guards queues_
  std::map<std::string, Queue> queues_;  // by model: as many as are configured
};

}  // namespace qrerank::proxy::observe
