// What the scorers report, as metrics and log lines.
#pragma once

#include "proxy/observe/metrics.hpp"
#include "reranker/observer.hpp"

namespace qrerank::proxy {

class ScoringMetrics : public reranker::Observer {
 public:
  explicit ScoringMetrics(observe::Metrics& metrics) : metrics_(metrics) {}

  void batch_computed(const std::string& model, const reranker::BatchReport& batch,
                      reranker::Microseconds took) override;
  void budget_halved(const std::string& model, std::size_t budget) override;
  void queue_changed(const std::string& model, std::size_t texts, std::size_t tokens) override;
  void cache_looked_up(const std::string& model, std::size_t hits, std::size_t misses) override;
  void load_finished(const std::string& model, bool loaded, reranker::Microseconds took) override;

 private:
  observe::Metrics& metrics_;
};

}  // namespace qrerank::proxy
