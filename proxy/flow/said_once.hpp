// What was logged already and is not to be logged at each request.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <unordered_set>
#include <utility>

namespace qrerank::proxy::flow {

/// Remembers at most kMost keys; beyond them nothing is new any more. Thread-safe.
class SaidOnce {
 public:
  static constexpr std::size_t kMost = 1000;

  /// True for a key that was not there yet.
  bool first(std::string key) {
    const std::scoped_lock lock(mutex_);
    return said_.size() < kMost && said_.insert(std::move(key)).second;
  }

 private:
  std::mutex mutex_;
  std::unordered_set<std::string> said_;
};

}  // namespace qrerank::proxy::flow
