// Which of the waiting texts make the next batch. Pure: no thread, no clock, no queue.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "reranker/types.hpp"

namespace qrerank::reranker::scheduler {

/// One text that waits, as the former sees it.
struct WaitingText {
  std::uint64_t request = 0;     ///< texts of one request are one unit for its client: all or nothing
  std::size_t tokens = 0;        ///< of its own, without the prefix
  const void* prefix = nullptr;  ///< equal pointers share their computation; null: none
  std::size_t prefix_tokens = 0;
  Clock::time_point deadline = Clock::time_point::max();
  bool cancelled = false;
};

struct FormedBatch {
  std::vector<std::size_t> chosen;   ///< indexes into `waiting`, longest text first
  std::vector<std::size_t> dropped;  ///< cancelled or expired (deadline <= now): never to be computed
  std::size_t tokens = 0;            ///< of the chosen ones, each distinct prefix counted once
};

/// `waiting` in order of arrival. Chooses at least one text where any is alive, and never more tokens than
/// `budget`, except that a text over the budget by itself goes alone. It does not wait for more: whoever
/// calls is idle, and an idle device departs with what there is.
///
/// Half of the budget goes to texts in the order that their requests arrived, so that every request is the
/// oldest one day and then moves in each batch: nobody is stranded. The other half goes to the requests with
/// the fewest tokens left, so that a small request is not stuck behind a huge one. Within a request, where
/// order means nothing to the client, longer texts go first and shorter ones fill the gaps.
FormedBatch form_batch(std::span<const WaitingText> waiting, std::size_t budget, Clock::time_point now);

}  // namespace qrerank::reranker::scheduler
