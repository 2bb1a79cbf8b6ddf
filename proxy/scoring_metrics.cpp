#include "proxy/scoring_metrics.hpp"

#include "proxy/observe/log.hpp"

namespace qrerank::proxy {

namespace log = observe::log;

void ScoringMetrics::batch_computed(const std::string&, const reranker::BatchReport& batch,
                                    reranker::Microseconds took) {
  metrics_.batch(batch.items, batch.tokens, took);
}

void ScoringMetrics::budget_halved(const std::string& model, std::size_t budget) {
  log::warn("", "memory ran out while scoring: the token budget was halved",
            {{"model", model}, {"budget", budget}});
}

void ScoringMetrics::queue_changed(const std::string&, std::size_t texts, std::size_t tokens) {
  metrics_.queue(texts, tokens);
}

void ScoringMetrics::cache_looked_up(const std::string&, std::size_t hits, std::size_t misses) {
  metrics_.cache(hits, misses);
}

void ScoringMetrics::load_finished(const std::string& model, bool loaded, reranker::Microseconds took) {
  const auto milliseconds = took.count() / 1000;
  if (loaded) {
    log::info("", "model loaded", {{"model", model}, {"ms", milliseconds}});
  } else {
    log::error("", "model failed to load; /status tells why", {{"model", model}, {"ms", milliseconds}});
  }
}

}  // namespace qrerank::proxy
