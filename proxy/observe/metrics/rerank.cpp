#include "proxy/observe/metrics/rerank.hpp"

namespace qrerank::proxy::observe::metrics {
namespace {

Histogram stage(Registry& registry, std::string_view name) {
  return registry.histogram("qrerank_stage_duration_seconds",
                            "Where the time of reranked searches went; `queue` is the wait for a batch.",
                            duration_bounds(), {{"stage", name}});
}

}  // namespace

Rerank::Rerank(Registry& registry, std::span<const std::string_view> reasons)
    : fallbacks_(registry, "qrerank_fallbacks_total",
                 "Searches that were not reranked although asked for, by reason.", "reason", reasons),
      upstream_(stage(registry, "upstream")),
      tokenize_(stage(registry, "tokenize")),
      queue_(stage(registry, "queue")),
      compute_(stage(registry, "compute")),
      scored_(registry.counter("qrerank_candidates_total", "Candidates that were given a score.")),
      cached_(registry.counter("qrerank_cached_candidates_total",
                               "Candidates whose score came from the cache.")) {}

void Rerank::stages(std::chrono::microseconds upstream, const reranker::Timings& timings) {
  upstream_.observe(upstream);
  tokenize_.observe(timings.tokenize);
  queue_.observe(timings.queue);
  compute_.observe(timings.compute);
}

void Rerank::candidates(std::size_t scored, std::size_t cached) {
  scored_.add(static_cast<double>(scored));
  cached_.add(static_cast<double>(cached));
}

}  // namespace qrerank::proxy::observe::metrics
