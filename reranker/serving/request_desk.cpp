#include "reranker/serving/request_desk.hpp"

#include <algorithm>
#include <utility>

namespace qrerank::reranker::serving {
namespace {

tl::unexpected<ScoreError> error(ScoreFailure failure, std::string message, Timings timings = {}) {
  return tl::make_unexpected(ScoreError{failure, std::move(message), timings});
}

bool has_room(std::size_t limit, std::size_t held, std::size_t wanted) {
  return held <= limit && wanted <= limit - held;
}

// Written so that no sum can overflow.
Clock::time_point sooner(Clock::time_point deadline, Clock::time_point from, Clock::duration limit) {
  return deadline - from > limit ? from + limit : deadline;
}

}  // namespace

RequestDesk::RequestDesk(DeskLimits limits, scheduler::DeadlineTimer& timer,
                         std::function<ScoreError()> why_waiting)
    : limits_(limits), timer_(timer), why_waiting_(std::move(why_waiting)) {}

RequestPtr RequestDesk::admit(ScoreRequest asked, ScoreCompletion done) {
  std::unique_lock lock(mutex_);
  const auto request = std::make_shared<Request>(++next_id_, std::move(asked), std::move(done));
  const auto refuse = [&](ScoreFailure failure, std::string message) {
    lock.unlock();
    request->done(error(failure, std::move(message)));
    return nullptr;
  };
  if (closed_) {
    return refuse(ScoreFailure::model_unavailable, "the model is shut down");
  }
  if (!has_room(limits_.max_texts, held_texts_, request->texts) ||
      !has_room(limits_.max_bytes, held_bytes_, request->bytes)) {
    return refuse(ScoreFailure::overloaded, "too many texts wait for their scores");
  }
  live_.emplace(request->id, request);
  held_texts_ += request->texts;
  held_bytes_ += request->bytes;
  ++waiting_;
  request->alarm = arm(request->id, sooner(request->deadline, request->submitted, limits_.load_timeout));
  return request;
}

scheduler::DeadlineTimer::Alarm RequestDesk::arm(std::uint64_t id, Clock::time_point when) {
  return timer_.schedule(when, [weak = weak_from_this(), id] {
    if (const auto desk = weak.lock()) {
      desk->expire(id);
    }
  });
}

ScoreTicket RequestDesk::ticket(const RequestPtr& request) {
  return ScoreTicket(std::shared_ptr<void>(nullptr, [weak = weak_from_this(), id = request->id](void*) {
    if (const auto desk = weak.lock()) {
      desk->cancel(id);
    }
  }));
}

bool RequestDesk::start(const RequestPtr& request, std::shared_ptr<Engine> engine) {
  const std::lock_guard lock(mutex_);
  if (request->started || !live_.contains(request->id)) {
    return false;
  }
  request->started = true;
  request->waited = between(request->submitted, Clock::now());
  request->engine = std::move(engine);
  --waiting_;
  timer_.cancel(request->alarm);
  request->alarm = arm(request->id, request->deadline);
  return true;
}

std::vector<RequestPtr> RequestDesk::waiting() const {
  const std::lock_guard lock(mutex_);
  std::vector<RequestPtr> all;
  all.reserve(waiting_);
  for (const auto& [id, request] : live_) {
    if (!request->started) {
      all.push_back(request);
    }
  }
  return all;
}

bool RequestDesk::anyone_waits() const {
  const std::lock_guard lock(mutex_);
  return waiting_ > 0;
}

bool RequestDesk::is_live(const RequestPtr& request) const {
  const std::lock_guard lock(mutex_);
  return live_.contains(request->id);
}

void RequestDesk::hand_over(const RequestPtr& request, ScoreTicket ticket) {
  const std::lock_guard lock(mutex_);
  if (live_.contains(request->id)) {
    request->ticket = std::move(ticket);
    timer_.cancel(request->alarm);
  }
  // Else the ticket goes when this returns, after the lock, and takes the texts out of the queue.
}

void RequestDesk::finish(const RequestPtr& request, ScoreResult result) {
  ScoreCompletion done;
  RequestPtr keep;
  ScoreTicket ticket;
  {
    const std::lock_guard lock(mutex_);
    const auto at = live_.find(request->id);
    if (at == live_.end()) {
      return;
    }
    keep = std::move(at->second);  // whose last holder this may be: released without the lock
    live_.erase(at);
    held_texts_ -= keep->texts;
    held_bytes_ -= keep->bytes;
    waiting_ -= keep->started ? 0 : 1;
    timer_.cancel(keep->alarm);
    ticket = std::exchange(keep->ticket, {});
    done = std::exchange(keep->done, nullptr);
  }
  ticket = {};
  done(std::move(result));
}

RequestPtr RequestDesk::find(std::uint64_t id) const {
  const std::lock_guard lock(mutex_);
  const auto at = live_.find(id);
  return at == live_.end() ? nullptr : at->second;
}

void RequestDesk::cancel(std::uint64_t id) {
  if (const RequestPtr request = find(id)) {
    finish(request, error(ScoreFailure::cancelled, "nobody waits any more"));
  }
}

void RequestDesk::expire(std::uint64_t id) {
  const RequestPtr request = find(id);
  if (!request) {
    return;
  }
  const auto now = Clock::now();
  bool started = false;
  Timings timings;
  {
    const std::lock_guard lock(mutex_);
    started = request->started;
    if (started && now < request->deadline) {
      return;  // the limit for waiting, overtaken by the start
    }
    timings.queue = started ? request->waited : between(request->submitted, now);
    timings.tokenize = between(request->submitted, now) - timings.queue;
  }
  if (started) {
    finish(request, error(ScoreFailure::timeout, "the deadline passed while tokenizing", timings));
  } else {
    ScoreError why = why_waiting_();
    why.timings = timings;
    finish(request, tl::make_unexpected(std::move(why)));
  }
}

void RequestDesk::close() {
  std::vector<RequestPtr> all;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    for (const auto& [id, request] : live_) {
      all.push_back(request);
    }
  }
  for (const RequestPtr& request : all) {
    finish(request, error(ScoreFailure::cancelled, "the model is shut down"));
  }
}

std::size_t RequestDesk::size() const {
  const std::lock_guard lock(mutex_);
  return live_.size();
}

}  // namespace qrerank::reranker::serving
