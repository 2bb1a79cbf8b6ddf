// unloaded → loading → ready → draining → unloaded, or failed: one model's states and who may do what in
// each. Pure: the clock comes from outside, loading and unloading are done elsewhere.
#pragma once

#include <string>

#include "reranker/scorer.hpp"

namespace qrerank::reranker::manager {

/// Not thread-safe: its owner locks.
class ModelLifecycle {
 public:
  /// What to do with a request that arrives.
  enum class Arrival {
    proceed,     ///< ready
    start_load,  ///< the caller starts loading, then waits: told to exactly one until the load has ended
    wait,        ///< a load is under way, or will be once the draining has ended
    refuse,      ///< failed a short while ago, or closed; `refusal` tells
  };

  /// After a failed load the next one is started by the first request that comes `retry_after` later.
  explicit ModelLifecycle(Clock::duration retry_after) : retry_after_(retry_after) {}

  Arrival request_arrived(Clock::time_point now);
  /// As a request, but a load that failed a moment ago is tried again.
  Arrival load_ordered();

  void load_succeeded();
  void load_failed(ScoreFailure failure, std::string reason, Clock::time_point now);
  /// Not begun after all: nobody waits any more. To unloaded.
  void load_abandoned();

  /// From ready to draining: true when it was ready. A failed one becomes unloaded, its reason forgotten.
  bool unload();
  /// The draining has ended and the model is gone. True: it was asked for meanwhile and is now loading; the
  /// caller starts that load.
  bool drained();

  /// To draining, for good: the end of the program.
  void close();

  [[nodiscard]] ModelState state() const { return state_; }
  [[nodiscard]] bool closed() const { return closed_; }
  /// Why the last load failed; kept until one succeeds.
  [[nodiscard]] const std::string& detail() const { return detail_; }
  /// What a refused request is told.
  [[nodiscard]] ScoreError refusal() const;

 private:
  const Clock::duration retry_after_;
  ModelState state_ = ModelState::unloaded;
  bool closed_ = false;
  bool asked_while_draining_ = false;
  ScoreFailure failure_ = ScoreFailure::model_unavailable;
  std::string detail_;
  Clock::time_point failed_at_{};
};

}  // namespace qrerank::reranker::manager
