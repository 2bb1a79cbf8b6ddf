// The slow reference: JSON texts as nlohmann's DOM, changed there instead of in their bytes.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

namespace qrerank::fuzz {

using Json = nlohmann::json;

/// Nothing where the text is no JSON, or names a member twice (the DOM would hold one of them). nlohmann
/// takes a NUL for the text's end; JSON does not.
inline std::optional<Json> dom_of(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  std::vector<std::set<std::string>> objects;
  bool twice = false;
  const auto look = [&](int, Json::parse_event_t event, Json& parsed) {
    using Event = Json::parse_event_t;
    if (event == Event::object_start) objects.emplace_back();
    if (event == Event::object_end) objects.pop_back();
    if (event == Event::key) twice = twice || !objects.back().insert(parsed.get<std::string>()).second;
    return true;
  };
  Json json = Json::parse(text, look, false);
  if (json.is_discarded() || twice) return std::nullopt;
  return json;
}

}  // namespace qrerank::fuzz
