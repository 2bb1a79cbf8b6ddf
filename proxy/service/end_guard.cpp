#include "proxy/service/end_guard.hpp"

#include <utility>

namespace qrerank::proxy::service {

EndGuard::~EndGuard() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void EndGuard::arm(std::chrono::steady_clock::time_point at, std::function<void()> give_up) {
  thread_ = std::thread([this, at, give_up = std::move(give_up)] {
    std::unique_lock lock(mutex_);
    const bool ended = changed_.wait_until(lock, at, [this] { return ended_; });
    lock.unlock();
    if (!ended) give_up();
  });
}

}  // namespace qrerank::proxy::service
