// One request on its way through a local model. Private to this room and the manager.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "reranker/scheduler/deadline_timer.hpp"
#include "reranker/scorer.hpp"
#include "reranker/serving/slots.hpp"

namespace qrerank::reranker::serving {

class Engine;

inline Microseconds between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration_cast<Microseconds>(to - from);
}

struct Request {
  Request(std::uint64_t id_, ScoreRequest request_, ScoreCompletion done_)
      : id(id_),
        deadline(request_.deadline),
        texts(request_.texts.size()),
        submitted(Clock::now()),
        asked(std::move(request_)),
        done(std::move(done_)) {
    for (const std::string& text : asked.texts) {
      bytes += text.size();
    }
  }

  const std::uint64_t id;
  const Clock::time_point deadline;
  const std::size_t texts;
  std::size_t bytes = 0;
  const Clock::time_point submitted;

  // Set before the tokenizer threads see it. Also the lease on the engine: it goes when the last holder of
  // this request does, and the engine stays at least as long.
  std::shared_ptr<Engine> engine;

  // The tokenizer thread's alone, until it hands over to the scheduler and thereby to the completion.
  ScoreRequest asked;
  std::optional<Slots> slots;
  std::size_t cached = 0;
  Microseconds tokenize{0};  // to all tokens there

  // Guarded by the desk's mutex; `waited` is constant once it is started.
  ScoreCompletion done;
  bool started = false;    // the model is there, the tokenizer threads are next
  Microseconds waited{0};  // for the model
  ScoreTicket ticket;      // the scheduler's
  scheduler::DeadlineTimer::Alarm alarm{};
};

using RequestPtr = std::shared_ptr<Request>;

}  // namespace qrerank::reranker::serving
