// Calls back when a point in time has come. One thread, any number of alarms.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "reranker/types.hpp"

namespace qrerank::reranker::scheduler {

class DeadlineTimer {
 public:
  using Alarm = std::pair<Clock::time_point, std::uint64_t>;

  DeadlineTimer();
  ~DeadlineTimer();  // stops
  DeadlineTimer(const DeadlineTimer&) = delete;
  DeadlineTimer& operator=(const DeadlineTimer&) = delete;

  /// Calls `ring` once at or after `when`, on the timer's thread and with none of its locks held; a `when`
  /// that has passed rings at once. time_point::max() never rings and costs nothing. `ring` must be quick and
  /// must not throw.
  Alarm schedule(Clock::time_point when, std::function<void()> ring);

  /// Forgets the alarm; one that is ringing at this moment goes on. Unknown alarms are fine.
  void cancel(const Alarm& alarm);

  /// Forgets all alarms and ends the thread; waits for one that is ringing. Later alarms never ring.
  void stop();

 private:
  void run();

  std::mutex mutex_;  // guards all below
  std::condition_variable changed_;
  std::map<Alarm, std::function<void()>> alarms_;  // soonest first
  std::uint64_t next_id_ = 0;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace qrerank::reranker::scheduler
