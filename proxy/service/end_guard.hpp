// The end of the program, when something that it waits for does not end: a batch on a GPU that hangs cannot
// be interrupted, and a service manager's patience is long.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace qrerank::proxy::service {

/// Make it before what may not end, so that it is destroyed after it.
class EndGuard {
 public:
  EndGuard() = default;
  ~EndGuard();  ///< all has ended
  EndGuard(const EndGuard&) = delete;
  EndGuard& operator=(const EndGuard&) = delete;

  /// Once. Unless it is destroyed before `at`, calls `give_up`, from a thread of its own.
  void arm(std::chrono::steady_clock::time_point at, std::function<void()> give_up);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool ended_ = false;  // guarded by mutex_
  std::thread thread_;
};

}  // namespace qrerank::proxy::service
