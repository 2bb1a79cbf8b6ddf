#include "proxy/observe/log_line.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "proxy/observe/json_text.hpp"

namespace qrerank::proxy::observe::log {
namespace {

constexpr std::array<std::string_view, 5> kLevels = {"trace", "debug", "info", "warn", "error"};

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
        } else if constexpr (std::is_same_v<T, double>) {
          out += json && !std::isfinite(v) ? "null" : fmt::format("{}", v);
        } else {
          out += fmt::format("{}", v);
        }
      },
      value);
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

std::string format_line(std::chrono::system_clock::time_point time, config::LogFormat format, Level level,
                        std::string_view request_id, std::string_view message,
                        std::span<const Field> fields) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(time - seconds).count();
  const auto stamp = fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z",
                                 fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), millis);
  std::string out;
  if (format == config::LogFormat::json) {
    out = fmt::format(R"({{"time":"{}","level":"{}","message":)", stamp, to_string(level));
    append_json_string(out, cut(message));
  } else {
    std::string name(to_string(level));
    std::ranges::transform(name, name.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
    out = fmt::format("{} {:<5} ", stamp, name);
    append_message(out, message);
  }
  const auto append = [&](std::string_view key, const Field::Value& value) {
    if (format == config::LogFormat::json) {
      out += ',';
      append_json_string(out, key);
      out += ':';
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
  return out;
}

}  // namespace qrerank::proxy::observe::log
