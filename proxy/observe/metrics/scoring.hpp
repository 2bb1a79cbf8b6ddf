// What the scoring engine counts (reranker/scheduler, reranker/serving), over all models.
#pragma once

#include <chrono>
#include <cstddef>

#include "proxy/observe/registry.hpp"

namespace qrerank::proxy::observe::metrics {

class Scoring {
 public:
  explicit Scoring(Registry& registry);

  /// One batch that was computed; `budget`: the tokens that it might have had.
  void batch(std::size_t texts, std::size_t tokens, std::size_t budget, std::chrono::microseconds compute);
  /// Memory ran out, and the budget with it.
  void budget_halved() { budgets_halved_.add(); }
  /// What waits now.
  void queue(std::size_t texts, std::size_t tokens);
  void cache(std::size_t hits, std::size_t misses);
  /// What the cache holds now.
  void cache_size(std::size_t bytes, std::size_t entries);

 private:
  Counter batches_;
  Counter texts_;
  Counter tokens_;
  Histogram batch_tokens_;
  Histogram batch_fill_;
  Histogram batch_seconds_;
  Counter budgets_halved_;
  Gauge queued_texts_;
  Gauge queued_tokens_;
  Counter cache_hits_;
  Counter cache_misses_;
  Gauge cache_bytes_;
  Gauge cache_entries_;
};

}  // namespace qrerank::proxy::observe::metrics
