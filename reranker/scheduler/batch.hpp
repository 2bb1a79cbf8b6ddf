// One batch on the compute thread: its texts go through the model, and what comes back is told to those who
// keep it. Private to the scheduler; which texts make a batch is batch_former's.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "reranker/scheduler/job.hpp"

namespace qrerank::reranker::scheduler {

struct Batch {
  std::vector<Entry> entries;
  BatchReport report;
};

enum class Outcome { scored, out_of_memory, failed };

struct Computed {
  Outcome outcome = Outcome::failed;
  std::vector<double> logits;  ///< `width` for each entry when scored; may be not finite
  std::size_t width = 1;
  std::string message;  ///< why it failed
  Clock::time_point begin;
  Clock::duration took{};

  /// What the model gave for one entry.
  [[nodiscard]] std::span<const double> row(std::size_t entry) const {
    return std::span(logits).subspan(entry * width, width);
  }
};

[[nodiscard]] bool is_finite(std::span<const double> row);

/// Blocks while the model computes. Whatever it throws becomes an outcome; where memory ran out, the model
/// has given back what it keeps only to be faster before this returns.
Computed compute(model::Model& model, const Batch& batch);

/// Tells each job's tap which of its texts got a finite logit in this batch.
void tell_taps(const Batch& batch, const Computed& computed);

}  // namespace qrerank::reranker::scheduler
