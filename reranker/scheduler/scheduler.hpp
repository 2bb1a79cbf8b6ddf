// Tokens in, logits out: the bounded queue of one model and the threads that compute. Which texts make a
// batch is batch_former's; tokenizing, caching and loading are local_scorer's.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <tl/expected.hpp>
#include <vector>

#include "reranker/model/model.hpp"
#include "reranker/observer.hpp"
#include "reranker/scheduler/deadline_timer.hpp"
#include "reranker/scorer.hpp"

namespace qrerank::reranker::scheduler {

struct SchedulerSettings {
  /// The most tokens of one batch. Halved when memory runs out, doubled again (up to this) after 64 batches
  /// without that.
  std::size_t token_budget = 4096;
  /// A batch cannot be interrupted: what it should take at most, by the measured speed of its replica
  /// (batch_pace.hpp); 0: no limit.
  Clock::duration batch_time{0};
  /// Waiting texts and their tokens (shared prefixes aside). Texts being computed do not count.
  std::size_t max_queued_texts = 8192;
  std::size_t max_queued_tokens = 4'000'000;
};

struct ScoredTexts {
  std::vector<double> logits;  ///< the model's `width` numbers per text, in the order given
  Timings timings;             ///< queue and compute
  std::size_t tokens = 0;      ///< of this request: its texts, and its prefix once
};

using ScoredCompletion = std::function<void(tl::expected<ScoredTexts, ScoreError>)>;

/// Told of each batch's finite logits (`texts`: places in the request; `width` numbers for each), before the
/// request completes; also when it has completed otherwise meanwhile, so that work once done can be kept.
/// Same rules as for completions.
using BatchTap = std::function<void(std::span<const std::size_t> texts, std::span<const double> logits)>;

struct QueueLength {
  std::size_t texts = 0;
  std::size_t tokens = 0;
};

class Scheduler {
 public:
  /// One compute thread per replica; replicas, timer and observer must outlive it. `model` names it for the
  /// observer.
  Scheduler(std::string model, const std::vector<model::Model*>& replicas, SchedulerSettings settings,
            DeadlineTimer& timer, Observer& observer);
  ~Scheduler();  // shuts down
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  /// All texts are admitted or none (`overloaded`). `done` is called exactly once, without locks held: from
  /// here (refused, expired, no texts, shut down), a compute thread, the timer's thread, or the ticket's
  /// destructor
  /// (`cancelled`). Failures: overloaded, timeout, out_of_memory (also after halving the budget and one more
  /// try), cancelled, internal (the model threw, or gave a logit that is not finite). A failing request takes
  /// its texts out of the queue at once; only a batch under way is still computed.
  [[nodiscard]] ScoreTicket submit(model::EncodedTexts encoded, Clock::time_point deadline,
                                   ScoredCompletion done, BatchTap tap = {});

  [[nodiscard]] QueueLength queue_length() const;

  /// Completes everything with `cancelled` and waits for the batches under way. Idempotent; not from a
  /// completion.
  void shutdown();

 private:
  class Core;
  std::shared_ptr<Core> core_;  // tickets and alarms know it weakly
  std::vector<std::thread> threads_;
};

}  // namespace qrerank::reranker::scheduler
