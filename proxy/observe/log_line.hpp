// One log line as text: pure, so that the escaping can be tested. Where lines go is log.hpp's work.
#pragma once

#include <chrono>
#include <concepts>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "proxy/config/config.hpp"

namespace qrerank::proxy::observe::log {

enum class Level { trace, debug, info, warn, error };

/// "trace", "debug", …; null text for none. Unknown names give info.
std::string_view to_string(Level level);
Level level_named(std::string_view name);

/// A named value beside the message. Views must live until the call returns.
struct Field {
  using Value = std::variant<std::string_view, std::int64_t, std::uint64_t, double, bool>;

  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, const char* v) : key(k), value(std::string_view(v)) {}
  Field(std::string_view k, const config::Secret& v)
      : key(k), value(v.empty() ? std::string_view() : config::kMasked) {}
  Field(std::string_view k, bool v) : key(k), value(v) {}
  Field(std::string_view k, std::floating_point auto v) : key(k), value(static_cast<double>(v)) {}
  Field(std::string_view k, std::signed_integral auto v) : key(k), value(static_cast<std::int64_t>(v)) {}
  Field(std::string_view k, std::unsigned_integral auto v) : key(k), value(static_cast<std::uint64_t>(v)) {}

  std::string_view key;  ///< a plain word: written as it is
  Value value;
};

/// As other servers' logs have what was not there.
[[nodiscard]] constexpr std::string_view or_dash(std::string_view text) {
  return text.empty() ? "-" : text;
}

/// Longest text of one value, in bytes; what is beyond is cut.
inline constexpr std::size_t kMaxValueBytes = 2048;

/// Appends one line without a newline. Text: `2026-11-24T00:16:14.123Z INFO  message key=value request_id=…`,
/// values quoted where they hold more than plain characters. JSON: one object with time, level, message,
/// keys, request_id. Control characters and invalid UTF-8 never pass as they are. An empty request id is left
/// out.
void append_line(std::string& out, std::chrono::system_clock::time_point time, config::LogFormat format,
                 Level level, std::string_view request_id, std::string_view message,
                 std::span<const Field> fields);

}  // namespace qrerank::proxy::observe::log
