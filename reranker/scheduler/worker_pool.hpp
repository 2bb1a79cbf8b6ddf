// A fixed number of threads that run what is posted, first come first served. What is posted is bounded by
// the caller's door.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace qrerank::reranker::scheduler {

class WorkerPool {
 public:
  /// At least one thread.
  explicit WorkerPool(std::size_t threads);
  ~WorkerPool();  // stops
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// False (and `work` is dropped) once stopped. `work` must not throw.
  bool post(std::function<void()> work);

  /// Drops what has not begun, waits for what has. Idempotent; not from one of its own threads.
  void stop();

 private:
  void run();

  std::mutex mutex_;  // guards the three below
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;

  std::vector<std::thread> threads_;
};

}  // namespace qrerank::reranker::scheduler
