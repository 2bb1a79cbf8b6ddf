// Whether one node is fit for requests, judged from what happened: checks that we make, and requests that
// failed. Pure: events with their time in, a state out. Who shares it between threads is nodes.hpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "proxy/config/config.hpp"

namespace qrerank::proxy::upstream {

using TimePoint = std::chrono::steady_clock::time_point;

enum class NodeState : std::uint8_t {
  up,       ///< takes its share
  ejected,  ///< requests failed on it in a row: none until the time is over, then one at a time to try it
  down      ///< checks fail: none until they pass again
};

[[nodiscard]] std::string_view to_string(NodeState state);

class Health {
 public:
  explicit Health(const config::Upstream& settings) : settings_(settings) {}

  /// A check ended. The first one of all decides at once; later `health_fall` failed ones in a row make the
  /// node `down`, and `health_rise` passed ones in a row end that.
  void checked(bool passed);

  /// A request got its response: ends a row of failures, and an ejection whose time is over.
  void passed(TimePoint now);

  /// A request failed by the node's fault. `eject_failures` in a row eject it for `eject_time`; a failure on
  /// trial ejects it again, each time for twice as long, up to `eject_time_max`. Failures of requests that
  /// were under way when it was ejected change nothing. The time begins small again once the node stayed up
  /// for as long as it was last ejected.
  void failed(TimePoint now);

  [[nodiscard]] NodeState state() const;
  /// With `ejected`: from then on it is on trial.
  [[nodiscard]] TimePoint ejected_until() const { return ejected_until_; }
  [[nodiscard]] bool failing() const { return failures_ > 0 || ejected_; }
  [[nodiscard]] std::uint64_t ejections() const { return ejections_; }

 private:
  void eject(TimePoint now);

  const config::Upstream& settings_;
  bool ever_checked_ = false;
  bool down_ = false;
  std::uint32_t checks_against_ = 0;  // in a row, that speak against what down_ says
  bool ejected_ = false;
  std::uint32_t failures_ = 0;  // in a row
  std::uint64_t ejections_ = 0;
  TimePoint ejected_until_{};
  TimePoint returned_{};  // when the last ejection was over
  std::chrono::milliseconds last_time_{0};
};

}  // namespace qrerank::proxy::upstream
