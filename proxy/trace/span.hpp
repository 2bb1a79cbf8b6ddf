// A span as plain data: what ran from when to when, of which trace, under which parent. No query and no
// document text ever stands in one.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "proxy/trace/context.hpp"

namespace qrerank::proxy::trace {

using Clock = std::chrono::steady_clock;

/// The numbers are OTLP's.
enum class SpanKind { internal = 1, server = 2, client = 3 };

struct Attribute {
  std::string_view key;  ///< a literal
  std::variant<std::string, std::int64_t> value;
};

struct Span {
  TraceId trace;
  SpanId id = 0;
  SpanId parent = 0;  ///< 0: the trace begins here
  SpanKind kind = SpanKind::internal;
  std::string name;
  Clock::time_point start;
  Clock::time_point end;
  std::vector<Attribute> attributes;
  bool failed = false;

  void tell(std::string_view key, std::string_view value) { attributes.push_back({key, std::string(value)}); }
  void tell(std::string_view key, std::int64_t value) { attributes.push_back({key, value}); }
};

}  // namespace qrerank::proxy::trace
