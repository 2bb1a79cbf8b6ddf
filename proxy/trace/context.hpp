// W3C Trace Context: what `traceparent` carries from one service to the next. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qrerank::proxy::trace {

/// Sixteen bytes, never all zero.
struct TraceId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool operator==(const TraceId&) const = default;
};

/// Eight bytes; 0 is none.
using SpanId = std::uint64_t;

struct Context {
  TraceId trace;
  SpanId span = 0;
  bool sampled = false;
  bool operator==(const Context&) const = default;
};

/// Nothing for what the specification calls invalid: the trace begins anew then. Later versions are read as
/// far as they are like version 00.
[[nodiscard]] std::optional<Context> parse_traceparent(std::string_view value);

/// "00-<32 digits>-<16 digits>-01"
[[nodiscard]] std::string format_traceparent(const Context& context);

/// 32 and 16 lower-case hexadecimal digits.
[[nodiscard]] std::string to_hex(const TraceId& id);
[[nodiscard]] std::string to_hex(SpanId id);

/// Random ones. Not secrets.
[[nodiscard]] TraceId new_trace_id();
[[nodiscard]] SpanId new_span_id();

/// True for that share of all traces, and the same at every service that decides like this.
[[nodiscard]] bool is_sampled(const TraceId& id, double ratio);

}  // namespace qrerank::proxy::trace
