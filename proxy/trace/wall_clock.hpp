// The time of day, for the stamps of spans. Limits and durations are none of its business.
#pragma once

#include <chrono>

#include "proxy/trace/otlp.hpp"

namespace qrerank::proxy::trace {

inline Moment wall_clock_now() {
  return {Clock::now(), std::chrono::duration_cast<std::chrono::nanoseconds>(
                            std::chrono::system_clock::now().time_since_epoch())};
}

}  // namespace qrerank::proxy::trace
