#include "proxy/observe/scoring_observer.hpp"

#include "proxy/observe/log.hpp"

namespace qrerank::proxy::observe {

void ScoringObserver::batch_computed(const std::string& model, const reranker::BatchReport& batch,
                                     reranker::Microseconds took) {
  scoring_.batch(batch.items, batch.tokens, batch.budget, took);
  log::debug("", "batch computed",
             {{"model", model},
              {"texts", batch.items},
              {"requests", batch.requests},
              {"tokens", batch.tokens},
              {"ms", static_cast<double>(took.count()) / 1000}});
}

void ScoringObserver::budget_halved(const std::string& model, std::size_t budget) {
  scoring_.budget_halved();
  log::warn("", "out of memory while scoring: the token budget was halved",
            {{"model", model}, {"budget", budget}});
}

void ScoringObserver::queue_changed(const std::string& model, std::size_t texts, std::size_t tokens) {
  std::size_t all_texts = 0;
  std::size_t all_tokens = 0;
  const std::lock_guard hold(lock_);
  queues_[model] = {texts, tokens};
  for (const auto& [unused, queue] : queues_) {
    all_texts += queue.texts;
    all_tokens += queue.tokens;
  }
  scoring_.queue(all_texts, all_tokens);
}

void ScoringObserver::cache_looked_up(const std::string& /*model*/, std::size_t hits, std::size_t misses) {
  scoring_.cache(hits, misses);
}

void ScoringObserver::model_changed(const std::string& model, reranker::ModelState state,
                                    std::uint64_t bytes) {
  models_.model(model, state, bytes);
  log::debug("", "model changed", {{"model", model}, {"state", to_string(state)}, {"bytes", bytes}});
}

void ScoringObserver::load_finished(const std::string& model, bool loaded, const std::string& why,
                                    reranker::Microseconds took) {
  models_.loaded(model, loaded, took);
  const double ms = static_cast<double>(took.count()) / 1000;
  if (loaded) {
    log::info("", "model loaded", {{"model", model}, {"ms", ms}});
  } else {
    log::error("", "model failed to load", {{"model", model}, {"ms", ms}, {"why", why}});
  }
}

}  // namespace qrerank::proxy::observe
