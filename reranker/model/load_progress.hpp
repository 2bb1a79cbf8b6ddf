// How far the reading of a model's weights has come. Counted by the thread that loads, looked at by any. No
// torch.
#pragma once

#include <atomic>
#include <cstdint>

namespace qrerank::reranker::model {

class LoadProgress {
 public:
  /// So many more bytes of the files were read.
  void add(std::uint64_t bytes) { read_.fetch_add(bytes, std::memory_order_relaxed); }
  void set(std::uint64_t bytes) { read_.store(bytes, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t read() const { return read_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> read_{0};  // a number to show: it orders nothing
};

}  // namespace qrerank::reranker::model
