#include "proxy/observe/log_line.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <ctime>
#include <iterator>

#include "proxy/observe/json_text.hpp"

namespace qrerank::proxy::observe::log {
namespace {

constexpr std::array<std::string_view, 5> kLevels = {"trace", "debug", "info", "warn", "error"};
constexpr std::size_t kLevelWidth = 5;

std::string_view cut(std::string_view text) {
  std::size_t end = std::min(text.size(), kMaxValueBytes);
  while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;  // not inside a character
  }
  return text.substr(0, end);
}

bool is_plain(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](unsigned char c) {
    return c > 0x20 && c < 0x7F && c != '"' && c != '\\' && c != '=';
  });
}

void append_value(std::string& out, const Field::Value& value, config::LogFormat format) {
  const bool json = format == config::LogFormat::json;
  std::visit(
      [&](auto v) {
        using T = decltype(v);
        if constexpr (std::is_same_v<T, std::string_view>) {
          if (!json && is_plain(cut(v))) {
            out += cut(v);
          } else {
            append_json_string(out, cut(v));
          }
        } else if constexpr (std::is_same_v<T, bool>) {
          out += v ? "true" : "false";
        } else if constexpr (std::is_same_v<T, double>) {
          out += json && !std::isfinite(v) ? "null" : fmt::format("{}", v);
        } else {
          const fmt::format_int digits(v);
          out.append(digits.data(), digits.size());
        }
      },
      value);
}

// The second is spelled once for all lines of it.
void append_time(std::string& out, std::chrono::system_clock::time_point time) {
  thread_local std::time_t spelled = -1;
  thread_local std::string second;
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const std::time_t now = std::chrono::system_clock::to_time_t(seconds);
  if (now != spelled || second.empty()) {
    second = fmt::format("{:%Y-%m-%dT%H:%M:%S}.", fmt::gmtime(now));
    spelled = now;
  }
  out += second;
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(time - seconds).count();
  fmt::format_to(std::back_inserter(out), "{:03}Z", millis);
}

// The message stands unquoted in text lines: escaped like a JSON string, the quotes dropped.
void append_message(std::string& out, std::string_view message) {
  const auto quoted = json_string(cut(message));
  for (std::size_t i = 1; i + 1 < quoted.size(); ++i) {
    if (quoted[i] == '\\' && quoted[i + 1] == '"') {
      continue;
    }
    out += quoted[i];
  }
}

}  // namespace

std::string_view to_string(Level level) {
  return kLevels[static_cast<std::size_t>(level)];
}

Level level_named(std::string_view name) {
  const auto found = std::ranges::find(kLevels, name);
  return found == kLevels.end() ? Level::info : static_cast<Level>(found - kLevels.begin());
}

void append_line(std::string& out, std::chrono::system_clock::time_point time, config::LogFormat format,
                 Level level, std::string_view request_id, std::string_view message,
                 std::span<const Field> fields) {
  if (format == config::LogFormat::json) {
    out += R"({"time":")";
    append_time(out, time);
    out += R"(","level":")";
    out += to_string(level);
    out += R"(","message":)";
    append_json_string(out, cut(message));
  } else {
    append_time(out, time);
    out += ' ';
    const std::string_view name = to_string(level);
    for (const char c : name) out += static_cast<char>(c - 'a' + 'A');
    out.append(kLevelWidth - name.size() + 1, ' ');
    append_message(out, message);
  }
  const auto append = [&](std::string_view key, const Field::Value& value) {
    if (format == config::LogFormat::json) {
      out += ",\"";
      out += key;
      out += "\":";
    } else {
      out += ' ';
      out += key;
      out += '=';
    }
    append_value(out, value, format);
  };
  for (const auto& field : fields) {
    append(field.key, field.value);
  }
  if (!request_id.empty()) {
    append("request_id", request_id);
  }
  if (format == config::LogFormat::json) {
    out += '}';
  }
}

}  // namespace qrerank::proxy::observe::log
