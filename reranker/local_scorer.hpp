// One model of this process behind the Scorer seam: loads it when it is first asked for, answers from the
// cache what it can, has the rest tokenized and scheduled, and puts the answer together. Torch is behind the
// loader.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "reranker/model/model.hpp"
#include "reranker/observer.hpp"
#include "reranker/score_cache.hpp"
#include "reranker/scorer.hpp"

namespace qrerank::reranker {

struct LocalScorerSettings {
  /// Tokens of one batch: larger fills the device better, smaller lets a new request in sooner, for a batch
  /// cannot be interrupted. 0: 4096 on a CPU (around a second of a small model), 16384 elsewhere.
  std::size_t token_budget = 0;
  /// Texts of all requests not answered yet, and their bytes: the door, checked before any work.
  std::size_t max_queued_texts = 8192;
  std::size_t max_queued_bytes = std::size_t{256} << 20;
  /// Tokens that wait for a batch.
  std::size_t max_queued_tokens = 4'000'000;
  /// Threads that look up, tokenize and submit; requests are taken one a thread, in order of arrival.
  std::size_t tokenizer_threads = 2;
  /// After a failed load requests are refused for so long; the next one after that loads again.
  Clock::duration load_retry = std::chrono::seconds(30);
  /// For load_retry only; tests turn it by hand.
  std::function<Clock::time_point()> now = &Clock::now;
};

/// Blocks for seconds; called on a thread of the scorer's, never twice at a time. What it throws is a failed
/// load.
using ModelLoader = std::function<tl::expected<std::unique_ptr<model::Model>, model::LoadError>()>;

/// Threads: one that loads, `tokenizer_threads`, one for deadlines, and from the first load one that
/// computes.
///
/// Failures: overloaded (at the door, or too many tokens wait), timeout, model_unavailable (load failed,
/// still loading when the deadline came, another model's name, shut down), out_of_memory, cancelled,
/// internal. Timings: `tokenize` is from submit (or, when that was later, from the end of loading) to all
/// tokens there, cache lookup included; `queue` includes what was waited for loading. Batches that time out
/// or are cancelled midway still feed the cache.
class LocalScorer : public Scorer {
 public:
  /// `cache` may be shared by many scorers, or null. `observer` must outlive this.
  LocalScorer(std::string name, ModelLoader loader, LocalScorerSettings settings,
              std::shared_ptr<ScoreCache> cache, Observer& observer);
  ~LocalScorer() override;  // shuts down

  [[nodiscard]] ScoreTicket submit(ScoreRequest request, ScoreCompletion done) override;
  [[nodiscard]] bool knows(const std::string& model) const override;
  [[nodiscard]] std::vector<ModelStatus> status() const override;

  /// Starts loading, as a request would, and returns at once.
  void preload();

  /// Completes all pending requests with `cancelled`, waits for a load, an encoding or a batch under way, and
  /// frees the model. Idempotent; not from a completion.
  void shutdown();

 private:
  class Core;
  std::shared_ptr<Core> core_;  // tickets know it weakly
};

}  // namespace qrerank::reranker
