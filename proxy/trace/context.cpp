#include "proxy/trace/context.hpp"

#include <cmath>

#include "proxy/http/request_id.hpp"

namespace qrerank::proxy::trace {
namespace {

constexpr std::size_t kSize = 55;  // of version 00
constexpr unsigned kSampled = 1;

// Exactly these digits; upper-case ones are invalid.
std::optional<std::uint64_t> from_hex(std::string_view digits) {
  std::uint64_t value = 0;
  for (const char c : digits) {
    const bool letter = c >= 'a' && c <= 'f';
    if (!letter && (c < '0' || c > '9')) return std::nullopt;
    value = value << 4 | static_cast<std::uint64_t>(letter ? c - 'a' + 10 : c - '0');
  }
  return value;
}

}  // namespace

std::optional<Context> parse_traceparent(std::string_view value) {
  if (value.size() < kSize || value[2] != '-' || value[35] != '-' || value[52] != '-') return std::nullopt;
  const auto version = from_hex(value.substr(0, 2));
  const auto high = from_hex(value.substr(3, 16));
  const auto low = from_hex(value.substr(19, 16));
  const auto span = from_hex(value.substr(36, 16));
  const auto flags = from_hex(value.substr(53, 2));
  if (!version || !high || !low || !span || !flags || *version == 0xff) return std::nullopt;
  if (value.size() > kSize && (*version == 0 || value[kSize] != '-')) return std::nullopt;
  if ((*high | *low) == 0 || *span == 0) return std::nullopt;
  return Context{{*high, *low}, *span, (*flags & kSampled) != 0};
}

std::string format_traceparent(const Context& context) {
  std::string text;
  text.reserve(kSize);
  text += "00-";
  http::append_hex(text, context.trace.high);
  http::append_hex(text, context.trace.low);
  text += '-';
  http::append_hex(text, context.span);
  text += context.sampled ? "-01" : "-00";
  return text;
}

std::string to_hex(const TraceId& id) {
  std::string text;
  http::append_hex(text, id.high);
  http::append_hex(text, id.low);
  return text;
}
std::string to_hex(SpanId id) {
  std::string text;
  http::append_hex(text, id);
  return text;
}

TraceId new_trace_id() {
  const std::uint64_t high = http::random_bits();
  return {high, new_span_id()};
}

SpanId new_span_id() {
  for (;;) {
    if (const SpanId id = http::random_bits(); id != 0) return id;
  }
}

bool is_sampled(const TraceId& id, double ratio) {
  if (ratio >= 1) return true;
  return static_cast<double>(id.low) < std::ldexp(ratio, 64);
}

}  // namespace qrerank::proxy::trace
