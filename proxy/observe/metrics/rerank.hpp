// What the data path of a search counts (proxy/flow).
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>

#include "proxy/observe/metrics/closed_set.hpp"
#include "proxy/observe/registry.hpp"
#include "reranker/types.hpp"

namespace qrerank::proxy::observe::metrics {

class Rerank {
 public:
  /// `reasons`: what fallback() may be told.
  Rerank(Registry& registry, std::span<const std::string_view> reasons);

  /// A search that was not reranked although it was asked for.
  void fallback(std::string_view reason) { fallbacks_[reason].add(); }
  /// Where the time of one reranked search went.
  void stages(std::chrono::microseconds upstream, const reranker::Timings& timings);
  /// Candidates that got a score in one search, and how many of those were in the cache.
  void candidates(std::size_t scored, std::size_t cached);

 private:
  CountersByLabel fallbacks_;
  Histogram upstream_;
  Histogram tokenize_;
  Histogram queue_;
  Histogram compute_;
  Counter scored_;
  Counter cached_;
};

}  // namespace qrerank::proxy::observe::metrics
