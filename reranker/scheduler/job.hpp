// One request inside the scheduler, and one of its texts in the queue. Private to the scheduler, whose mutex
// guards what is not const.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "reranker/scheduler/scheduler.hpp"

namespace qrerank::reranker::scheduler {

struct Job {
  Job(std::uint64_t id_, model::EncodedTexts encoded_, std::size_t width, Clock::time_point deadline_,
      ScoredCompletion done_, BatchTap tap_)
      : id(id_),
        encoded(std::move(encoded_)),
        deadline(deadline_),
        tap(std::move(tap_)),
        done(std::move(done_)),
        remaining(encoded.texts.size()),
        admitted(Clock::now()) {
    scored.logits.resize(encoded.texts.size() * width);
    scored.tokens = prefix_tokens();
    for (const model::Sequence& text : encoded.texts) {
      scored.tokens += text.ids.size();
    }
  }

  [[nodiscard]] std::size_t prefix_tokens() const { return encoded.prefix ? encoded.prefix->ids.size() : 0; }

  /// A batch with texts of this job began and took so long.
  void computed(Clock::time_point begin, Clock::duration took) {
    scored.timings.queue = std::max(
        Microseconds{0}, std::chrono::duration_cast<Microseconds>(begin - admitted) - scored.timings.compute);
    scored.timings.compute += std::chrono::duration_cast<Microseconds>(took);
  }

  /// The timings of a job that ends without all its scores: everything but computing was waiting.
  [[nodiscard]] Timings timings_until(Clock::time_point now) const {
    Timings timings = scored.timings;
    timings.queue =
        std::max(Microseconds{0}, std::chrono::duration_cast<Microseconds>(now - admitted) - timings.compute);
    return timings;
  }

  const std::uint64_t id;
  const model::EncodedTexts encoded;
  const Clock::time_point deadline;
  const BatchTap tap;

  ScoredCompletion done;  // empty once taken out to be called
  ScoredTexts scored;
  std::size_t remaining;
  const Clock::time_point admitted;
  DeadlineTimer::Alarm alarm{};
};

struct Entry {
  std::shared_ptr<Job> job;
  std::size_t text = 0;       // its place in the job
  std::uint64_t arrival = 0;  // over all jobs
  bool retried = false;       // memory ran out on it once

  [[nodiscard]] const model::Sequence& sequence() const { return job->encoded.texts[text]; }
  [[nodiscard]] std::size_t tokens() const { return sequence().ids.size(); }
};

}  // namespace qrerank::reranker::scheduler
