// How large a batch may be so that it is soon over: the measured speed of one replica. Pure: no thread, no
// clock, no queue.
#pragma once

#include <cstddef>

#include "reranker/types.hpp"

namespace qrerank::reranker::scheduler {

/// A batch cannot be interrupted, so its duration is what a request that arrives meanwhile waits at most.
/// Until something is measured batches are of the least size.
class BatchPace {
 public:
  /// Fewer tokens leave the multipliers idle and read the weights too often; a batch may always have them.
  static constexpr std::size_t kLeastTokens = 512;

  /// `batch_time`: what a batch should take at most; 0: no limit.
  explicit BatchPace(Clock::duration batch_time) : batch_time_(batch_time) {}

  /// Tokens of the next batch, at most `budget`.
  [[nodiscard]] std::size_t limit(std::size_t budget) const;

  /// A batch of so many computed tokens took so long. Each counts by its tokens, and half as much with each
  /// one after it: small batches, whose fixed costs weigh most, say little about large ones.
  void measured(std::size_t tokens, Clock::duration took);

 private:
  const Clock::duration batch_time_;
  double tokens_ = 0;   // of the batches so far, older ones for less
  double seconds_ = 0;  // that they took
};

}  // namespace qrerank::reranker::scheduler
