// Spans as OTLP's JSON: the body of a POST to /v1/traces. Pure.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "proxy/trace/span.hpp"

namespace qrerank::proxy::trace {

/// `now`: the same moment on the steady clock and since 1970. Spans carry the steady clock, so that a clock
/// that is set changes no duration.
struct Moment {
  Clock::time_point steady;
  std::chrono::nanoseconds since_1970{};
};

/// Who sends the spans.
struct Service {
  std::string name;
  std::string version;
};

[[nodiscard]] std::string to_otlp(std::span<const Span> spans, const Service& service, const Moment& now);

}  // namespace qrerank::proxy::trace
