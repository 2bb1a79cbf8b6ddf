// What makes Documents' texts into vectors counts (proxy/flow/embed_step), over all embedding models.
#pragma once

#include <chrono>
#include <cstddef>
#include <span>
#include <string_view>

#include "proxy/observe/metrics/closed_set.hpp"
#include "proxy/observe/registry.hpp"

namespace qrerank::proxy::observe::metrics {

class Inference {
 public:
  /// `reasons`: what failure() may be told.
  Inference(Registry& registry, std::span<const std::string_view> reasons)
      : vectors_(registry.counter("qrerank_embeddings_total", "Documents' texts that became vectors.")),
        cached_(registry.counter("qrerank_cached_embeddings_total",
                                 "Documents' texts whose vector came from the cache.")),
        failures_(registry, "qrerank_embedding_failures_total",
                  "Requests refused because their Documents got no vectors, by reason.", "reason", reasons),
        waited_(registry.histogram("qrerank_embedding_duration_seconds",
                                   "A request's wait for the vectors of its Documents, failures included.",
                                   duration_bounds())) {}

  /// Texts that became vectors, and how many of those were in the cache.
  void vectors(std::size_t made, std::size_t cached) {
    vectors_.add(static_cast<double>(made));
    cached_.add(static_cast<double>(cached));
  }
  /// A request that was refused for want of a vector.
  void failure(std::string_view reason) { failures_[reason].add(); }
  /// How long one request waited.
  void waited(std::chrono::microseconds took) { waited_.observe(took); }

 private:
  Counter vectors_;
  Counter cached_;
  CountersByLabel failures_;
  Histogram waited_;
};

}  // namespace qrerank::proxy::observe::metrics
