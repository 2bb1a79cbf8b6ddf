#include "reranker/scheduler/batch_pace.hpp"

#include <algorithm>

namespace qrerank::reranker::scheduler {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr double kKept = 0.5;  // of what older batches count, with each new one

}  // namespace

std::size_t BatchPace::limit(std::size_t budget) const {
  if (batch_time_ <= Clock::duration::zero()) {
    return budget;
  }
  const double affordable = seconds_ > 0 ? tokens_ / seconds_ * Seconds(batch_time_).count() : 0;
  if (affordable >= static_cast<double>(budget)) {  // also where it would not fit into a number
    return budget;
  }
  return std::min(budget, std::max(kLeastTokens, static_cast<std::size_t>(affordable)));
}

void BatchPace::measured(std::size_t tokens, Clock::duration took) {
  tokens_ = tokens_ * kKept + static_cast<double>(tokens);
  seconds_ = seconds_ * kKept + Seconds(took).count();
}

}  // namespace qrerank::reranker::scheduler
