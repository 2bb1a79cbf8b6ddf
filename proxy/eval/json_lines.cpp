#include "proxy/eval/json_lines.hpp"

#include <fmt/format.h>

#include <cstring>
#include <fstream>

namespace qrerank::proxy::eval {

namespace json = boost::json;

tl::expected<void, std::string> read_json_lines(const std::filesystem::path& file,
                                                const OnObject& on_object) {
  std::ifstream lines(file);
  if (!lines) return tl::unexpected(file.string() + ": " + std::strerror(errno));
  std::string line;
  for (std::size_t number = 1; std::getline(lines, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    boost::system::error_code error;
    const auto value = json::parse(json::string_view(line.data(), line.size()), error);
    std::string wrong = error                ? "not JSON: " + error.message()
                        : !value.is_object() ? std::string("not a JSON object")
                                             : on_object(value.get_object());
    if (!wrong.empty()) return tl::unexpected(fmt::format("{}:{}: {}", file.string(), number, wrong));
  }
  if (lines.bad()) return tl::unexpected(file.string() + ": " + std::strerror(errno));
  return {};
}

std::string id_member(const json::object& object, std::string_view name) {
  const auto* member = object.if_contains(json::string_view(name.data(), name.size()));
  if (member == nullptr) return "";
  if (const auto* text = member->if_string()) return std::string(text->begin(), text->end());
  return member->is_int64() || member->is_uint64() ? json::serialize(*member) : "";
}

}  // namespace qrerank::proxy::eval
