#include "proxy/upstream/health.hpp"

#include <algorithm>

namespace qrerank::proxy::upstream {

std::string_view to_string(NodeState state) {
  switch (state) {
    case NodeState::up:
      return "up";
    case NodeState::ejected:
      return "ejected";
    case NodeState::down:
      return "down";
  }
  return "unknown";
}

void Health::checked(bool passed) {
  const std::uint32_t needed = passed ? settings_.health_rise : settings_.health_fall;
  if (passed != down_) {  // as expected
    checks_against_ = 0;
  } else if (++checks_against_ >= needed || !ever_checked_) {
    down_ = !passed;
    checks_against_ = 0;
  }
  ever_checked_ = true;
}

void Health::passed(TimePoint now) {
  failures_ = 0;
  if (ejected_ && now >= ejected_until_) {
    ejected_ = false;
    returned_ = now;
  }
}

void Health::failed(TimePoint now) {
  if (settings_.eject_failures == 0) return;
  if (ejected_) {
    if (now >= ejected_until_) eject(now);
    return;
  }
  if (++failures_ < settings_.eject_failures) return;
  if (now - returned_ > last_time_) last_time_ = std::chrono::milliseconds(0);
  eject(now);
}

void Health::eject(TimePoint now) {
  last_time_ = std::min(std::max(2 * last_time_, settings_.eject_time), settings_.eject_time_max);
  ejected_ = true;
  ejected_until_ = now + last_time_;
  ++ejections_;
  failures_ = 0;
}

NodeState Health::state() const {
  if (down_) return NodeState::down;
  return ejected_ ? NodeState::ejected : NodeState::up;
}

}  // namespace qrerank::proxy::upstream
