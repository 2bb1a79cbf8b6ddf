#include "reranker/scheduler/deadline_timer.hpp"

namespace qrerank::reranker::scheduler {

DeadlineTimer::DeadlineTimer() : thread_([this] { run(); }) {}

DeadlineTimer::~DeadlineTimer() {
  stop();
}

DeadlineTimer::Alarm DeadlineTimer::schedule(Clock::time_point when, std::function<void()> ring) {
  if (when == Clock::time_point::max()) {
    return {when, 0};
  }
  bool soonest = false;
  Alarm alarm;
  {
    const std::lock_guard lock(mutex_);
    alarm = {when, ++next_id_};
    if (stopping_) {
      return alarm;
    }
    soonest = alarms_.emplace(alarm, std::move(ring)).first == alarms_.begin();
  }
  if (soonest) {
    changed_.notify_one();
  }
  return alarm;
}

void DeadlineTimer::cancel(const Alarm& alarm) {
  std::function<void()> forgotten;  // what it holds is released without the lock
  const std::lock_guard lock(mutex_);
  if (const auto at = alarms_.find(alarm); at != alarms_.end()) {
    forgotten = std::move(at->second);
    alarms_.erase(at);
  }
}

void DeadlineTimer::stop() {
  std::map<Alarm, std::function<void()>> forgotten;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    forgotten.swap(alarms_);
  }
  changed_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

void DeadlineTimer::run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (alarms_.empty()) {
      changed_.wait(lock);
      continue;
    }
    const Clock::time_point soonest = alarms_.begin()->first.first;
    if (soonest > Clock::now()) {
      changed_.wait_until(lock, soonest);
      continue;
    }
    auto due = alarms_.extract(alarms_.begin());
    lock.unlock();
    due.mapped()();
    due = {};  // released without the lock too
    lock.lock();
  }
}

}  // namespace qrerank::reranker::scheduler
