// Variables by their names, and whole numbers in them. Private to this room.
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace qrerank::proxy::service {

/// Names and values, as the process was given them.
using Environment = std::vector<std::pair<std::string, std::string>>;

/// Empty where there is none of that name.
inline std::string_view variable(const Environment& environment, std::string_view name) {
  for (const auto& [key, value] : environment) {
    if (key == name) return value;
  }
  return {};
}

inline std::optional<long long> whole_number(std::string_view text) {
  long long value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace qrerank::proxy::service
