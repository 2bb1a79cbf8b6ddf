#include "proxy/http/deadline.hpp"

namespace qrerank::proxy::http {

void Deadline::arm_at(Clock::time_point at) {
  at_ = at;
  expired_ = false;
  if (!is_linked()) {
    owner_.armed_.push_back(*this);
    if (!owner_.running_) owner_.start();
  }
}

void Deadlines::start() {
  running_ = true;
  timer_.expires_after(tick_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    running_ = false;
    if (error) return;
    sweep();
    if (!armed_.empty() && !running_) start();
  });
}

void Deadlines::sweep() {
  // An expired one is unlinked before it is told, and telling may arm or disarm others: collect first.
  const Clock::time_point now = Clock::now();
  List due;
  for (auto it = armed_.begin(); it != armed_.end();) {
    Deadline& deadline = *it++;
    if (deadline.at_ > now) continue;
    deadline.unlink();
    due.push_back(deadline);
  }
  while (!due.empty()) {
    Deadline& deadline = due.front();
    due.pop_front();
    deadline.expired_ = true;
    deadline.expire_();
  }
}

}  // namespace qrerank::proxy::http
