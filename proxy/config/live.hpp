// The configuration in force, shared by all threads. Who needs it takes the pointer and keeps that one until
// its work is done, so that a reload never changes anything under a running request.
#pragma once

#include <memory>
#include <mutex>
#include <utility>

#include "proxy/config/config.hpp"

namespace qrerank::proxy::config {

/// Thread-safe. A mutex and not std::atomic<std::shared_ptr>: that one takes a lock as well (libstdc++ 12),
/// and one that the thread sanitizer does not understand.
class LiveConfig {
 public:
  explicit LiveConfig(Config config) : config_(std::make_shared<const Config>(std::move(config))) {}

  [[nodiscard]] std::shared_ptr<const Config> get() const {
    const std::lock_guard lock(mutex_);
    return config_;
  }

  void set(Config config) {
    auto fresh = std::make_shared<const Config>(std::move(config));
    const std::lock_guard lock(mutex_);
    config_.swap(fresh);  // the old one is destroyed after the lock, if nobody holds it
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const Config> config_;  // guarded by mutex_
};

}  // namespace qrerank::proxy::config
