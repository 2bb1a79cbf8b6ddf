// All local models behind the seams of scorers and embedders: which of them are in memory, loaded when first
// asked for, unloaded when idle or when another needs the room. Torch is behind the sources.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "reranker/embedder.hpp"
#include "reranker/model/placement.hpp"
#include "reranker/observer.hpp"
#include "reranker/score_cache.hpp"
#include "reranker/scorer.hpp"

namespace qrerank::reranker::manager {

/// How one model comes into memory. Both block and are called on a loader thread, for one model never twice
/// at a time; what they throw is a failed load.
struct ModelSource {
  /// Where each replica would go and what it would weigh, without loading.
  std::function<tl::expected<std::vector<model::ReplicaNeed>, model::LoadError>()> needs;
  /// One replica, onto `device`. Adds to `progress` what it reads of `needs`' file_bytes, as it reads.
  std::function<tl::expected<std::unique_ptr<model::Model>, model::LoadError>(const std::string& device,
                                                                              model::LoadProgress& progress)>
      load;
};

/// One configured model.
struct ModelSetup {
  std::string name;
  ModelKind kind = ModelKind::reranker;  ///< what its source loads
  ModelSource source;
  std::string source_id{};         ///< tells sources of one name apart: another id is another model
  bool preload = false;            ///< loads at once, asked for or not
  Clock::duration idle_unload{0};  ///< unloaded after so long without a request; 0: never
  std::size_t width = 0;  ///< numbers in a vector that it makes, if known; 0: told by the loaded model
};

struct ManagerSettings {
  /// The most tokens of one batch. Where the model tells what a token costs, memory may allow less.
  std::size_t token_budget = 8192;
  /// What a batch should take at most: longer fills the device better, shorter lets a new request in sooner,
  /// for a batch cannot be interrupted. By the measured speed of each replica; 0: no limit.
  Clock::duration batch_time = std::chrono::seconds(1);
  /// For each model, texts of all requests not answered yet and their bytes: the door, before any work.
  std::size_t max_queued_texts = 8192;
  std::size_t max_queued_bytes = std::size_t{256} << 20;
  /// Tokens that wait for a batch of one model.
  std::size_t max_queued_tokens = 4'000'000;
  /// Threads that look up, tokenize and submit, for all models; requests are taken in order of arrival.
  std::size_t tokenizer_threads = 2;
  /// After a failed load requests are refused for so long; the next one after that loads again.
  Clock::duration load_retry = std::chrono::seconds(30);
  /// The longest that a request waits for its model to load, within its deadline.
  Clock::duration load_timeout = std::chrono::seconds(30);
  /// Bytes of weights that all models together may have in main memory, and on each GPU. 0: what is free,
  /// less a tenth of the whole.
  std::uint64_t memory_budget = 0;
  std::uint64_t gpu_memory_budget = 0;
  /// For vectors that were made; 0 keeps none.
  std::size_t vector_cache_bytes = 0;
  /// Of "cpu" or "cuda:N", now; empty: not known, and no limit. Called on loader threads.
  std::function<std::optional<model::DeviceMemory>(const std::string& device)> memory;
  /// For load_retry, idle_unload and who was used last; tests turn it by hand.
  std::function<Clock::time_point()> now = &Clock::now;
};

/// Threads: two that load and unload, `tokenizer_threads`, one for deadlines, and for each loaded replica one
/// that computes.
///
/// A model that finds no room waits until idle ones, the least recently used first, have made it; busy ones
/// are let finish. Requests that arrive while their model loads, waits for room or drains wait with it.
///
/// Failures: overloaded (at the door, or too many tokens wait), timeout, model_unavailable (load failed,
/// still loading when deadline or load_timeout came, unknown name, shut down), out_of_memory (would never
/// fit, no room in time, or scoring ran out also with half the batch), cancelled, internal. Timings:
/// `tokenize` is from submit (or, when that was later, from the end of loading) to all tokens there, cache
/// lookup included; `queue` includes what was waited for loading. Batches that time out or are cancelled
/// midway still feed the cache.
class ModelManager : public Scorer, public Embedder {
 public:
  /// Names are distinct. `cache` may be null. `observer` must outlive this.
  ModelManager(std::vector<ModelSetup> models, ManagerSettings settings, std::shared_ptr<ScoreCache> cache,
               Observer& observer);
  ~ModelManager() override;  // shuts down

  [[nodiscard]] ScoreTicket submit(ScoreRequest request, ScoreCompletion done) override;
  /// Equal texts once, and none whose vector is kept. Failures as those of judging.
  [[nodiscard]] ScoreTicket embed(EmbedRequest request, EmbedCompletion done) override;
  [[nodiscard]] bool knows(const std::string& model) const override;
  [[nodiscard]] std::vector<ModelStatus> status() const override;

  /// From here on these are the models. One that is gone, or has another source_id, answers the requests that
  /// it has and leaves; a new one of its name is loaded beside it when asked. One that stays keeps what is
  /// loaded. Returns at once; after the shutdown it does nothing.
  void set_models(std::vector<ModelSetup> models);

  /// Starts loading, also a model whose load failed a moment ago, and returns at once. False: no such model.
  bool load(const std::string& model) override;
  /// Lets the model's requests finish, then unloads it; one that is loading, once it is loaded. Forgets why a
  /// load failed. Returns at once; false: no such model.
  bool unload(const std::string& model) override;

  /// Unloads what has been idle for its time. Called when that is due; only tests with their own clock need
  /// to.
  void unload_idle();

  /// Completes all pending requests with `cancelled`, waits for a load, an encoding or a batch under way, and
  /// frees the models. Idempotent; not from a completion.
  void shutdown();

 private:
  class Core;
  std::shared_ptr<Core> core_;  // tickets and leases know it weakly
};

}  // namespace qrerank::reranker::manager
