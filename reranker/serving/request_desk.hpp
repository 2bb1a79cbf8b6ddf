// The requests of one model that are not answered yet: the door, their time limits, and that each gets one
// answer. Knows nothing of models, tokens and scores.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "reranker/scheduler/deadline_timer.hpp"
#include "reranker/scorer.hpp"
#include "reranker/serving/request.hpp"

namespace qrerank::reranker::serving {

struct DeskLimits {
  /// Texts of all requests not answered yet, and their bytes.
  std::size_t max_texts = 8192;
  std::size_t max_bytes = std::size_t{256} << 20;
  /// The longest that a request waits for its model, within its deadline.
  Clock::duration load_timeout = std::chrono::seconds(30);
};

/// Thread-safe. Its mutex is taken under the manager's, never the other way round; completions are called
/// with no lock held.
class RequestDesk : public std::enable_shared_from_this<RequestDesk> {
 public:
  /// `why_waiting` tells why the model is not there, for a request whose limit comes before it has started.
  RequestDesk(DeskLimits limits, scheduler::DeadlineTimer& timer, std::function<ScoreError()> why_waiting);

  /// Null when the request was answered at once: `overloaded` at the door,
  /// `model_unavailable` once closed. Else it
  /// waits for its model, under its limit.
  [[nodiscard]] RequestPtr admit(ScoreRequest asked, ScoreCompletion done);

  /// Dropping it cancels the request; may outlive the desk.
  [[nodiscard]] ScoreTicket ticket(const RequestPtr& request);

  /// The model is there, and `engine` is the request's lease on it: true exactly once, and only while the
  /// request is not answered.
  bool start(const RequestPtr& request, std::shared_ptr<Engine> engine);
  /// Those that have not started, in order of arrival.
  [[nodiscard]] std::vector<RequestPtr> waiting() const;
  [[nodiscard]] bool anyone_waits() const;

  [[nodiscard]] bool is_live(const RequestPtr& request) const;
  /// From here on the scheduler looks after deadline and cancelling, by way of its ticket.
  void hand_over(const RequestPtr& request, ScoreTicket ticket);

  /// The first answer counts, later ones are dropped.
  void finish(const RequestPtr& request, ScoreResult result);

  /// Answers everything with `cancelled`, and refuses what comes later.
  void close();

  /// Requests not answered yet.
  [[nodiscard]] std::size_t size() const;

 private:
  void expire(std::uint64_t id);
  void cancel(std::uint64_t id);
  [[nodiscard]] RequestPtr find(std::uint64_t id) const;
  [[nodiscard]] scheduler::DeadlineTimer::Alarm arm(std::uint64_t id, Clock::time_point when);

  const DeskLimits limits_;
  scheduler::DeadlineTimer& timer_;
  const std::function<ScoreError()> why_waiting_;

  mutable std::mutex mutex_;  // guards all below
  std::map<std::uint64_t, RequestPtr> live_;
  std::size_t held_texts_ = 0;  // of live_
  std::size_t held_bytes_ = 0;
  std::size_t waiting_ = 0;  // of live_: not started
  std::uint64_t next_id_ = 0;
  bool closed_ = false;
};

}  // namespace qrerank::reranker::serving
