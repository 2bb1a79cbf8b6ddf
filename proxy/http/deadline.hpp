// Time limits that cost next to nothing to set: a Deadline is a time point in its thread's list, and one
// coarse timer per thread walks the list. A limit is therefore kept to within one tick, never early.
#pragma once

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <chrono>
#include <functional>

#include "proxy/http/async.hpp"

namespace qrerank::proxy::http {

using Clock = std::chrono::steady_clock;

class Deadlines;

/// One limit of one owner. Unlinks itself when destroyed. Only used on its thread.
class Deadline
    : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  Deadline(Deadlines& owner, std::function<void()> expire) : owner_(owner), expire_(std::move(expire)) {}

  void arm(Clock::duration limit) { arm_at(Clock::now() + limit); }
  void arm_at(Clock::time_point at);
  void disarm() { unlink(); }

  /// Has the limit passed since it was last armed?
  [[nodiscard]] bool expired() const { return expired_; }

 private:
  friend class Deadlines;
  Deadlines& owner_;
  std::function<void()> expire_;
  Clock::time_point at_{};
  bool expired_ = false;
};

/// All limits of one I/O thread. The timer runs only while something is armed, so a thread without work can
/// end.
class Deadlines {
 public:
  Deadlines(asio::io_context& context, Clock::duration tick) : timer_(context), tick_(tick) {}

  /// Stops the timer if nothing is armed, so that its thread can end now and not a tick later.
  void rest() {
    if (armed_.empty()) timer_.cancel();
  }

 private:
  friend class Deadline;
  using List = boost::intrusive::list<Deadline, boost::intrusive::constant_time_size<false>>;

  void start();
  void sweep();

  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> timer_;
  Clock::duration tick_;
  List armed_;
  bool running_ = false;
};

}  // namespace qrerank::proxy::http
