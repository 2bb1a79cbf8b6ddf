// unloaded → loading → ready → draining, or failed: one model's states and who may do what in each. Pure: the
// clock comes from outside, the loading is done elsewhere.
#pragma once

#include <string>

#include "reranker/scorer.hpp"

namespace qrerank::reranker {

/// Not thread-safe: its owner locks.
class ModelLifecycle {
 public:
  /// What to do with a request that arrives.
  enum class Arrival {
    proceed,     ///< ready
    start_load,  ///< the caller starts loading, then waits: told to exactly one until the load has ended
    wait,        ///< somebody's load is under way
    refuse,      ///< failed a short while ago, or draining; `detail` tells
  };

  /// After a failed load the next one is started by the first request that comes `retry_after` later.
  explicit ModelLifecycle(Clock::duration retry_after) : retry_after_(retry_after) {}

  Arrival request_arrived(Clock::time_point now);
  void load_succeeded();
  void load_failed(std::string reason, Clock::time_point now);
  void drain();

  [[nodiscard]] ModelState state() const { return state_; }
  /// Why the last load failed; kept until one succeeds.
  [[nodiscard]] const std::string& detail() const { return detail_; }

 private:
  const Clock::duration retry_after_;
  ModelState state_ = ModelState::unloaded;
  std::string detail_;
  Clock::time_point failed_at_{};
};

}  // namespace qrerank::reranker
