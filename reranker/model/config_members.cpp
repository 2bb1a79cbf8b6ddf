#include "reranker/model/config_members.hpp"

#include "reranker/utf8.hpp"

namespace qrerank::reranker::model {

using simdjson::dom::element;

std::int64_t ConfigMembers::size(std::string_view name, std::int64_t low, std::int64_t high) {
  std::int64_t value = 0;
  if (root_[name].get(value) != simdjson::SUCCESS) {
    fail(name, "an integer", found(name));
  } else if (value < low || value > high) {
    fail(name, std::to_string(low) + ".." + std::to_string(high), std::to_string(value));
  }
  return value;
}

double ConfigMembers::positive(std::string_view name, double limit) {
  double value = 0;
  if (root_[name].get(value) != simdjson::SUCCESS || !(value > 0 && value < limit)) {
    fail(name, "a number between 0 and " + std::to_string(static_cast<std::int64_t>(limit)), found(name));
  }
  return value;
}

bool ConfigMembers::flag(std::string_view name, bool absent) {
  element member;
  if (root_[name].get(member) != simdjson::SUCCESS || member.is_null()) return absent;
  bool value = absent;
  if (member.get(value) != simdjson::SUCCESS) fail(name, "true or false", simdjson::minify(member));
  return value;
}

void ConfigMembers::only_word(std::string_view name, std::string_view wanted) {
  element member;
  if (root_[name].get(member) != simdjson::SUCCESS || member.is_null()) return;
  std::string_view value;
  if (member.get(value) != simdjson::SUCCESS || value != wanted) {
    fail(name, "\"" + std::string(wanted) + "\"", simdjson::minify(member));
  }
}

void ConfigMembers::only_flag(std::string_view name, bool wanted) {
  if (flag(name, wanted) != wanted) fail(name, wanted ? "true" : "false", wanted ? "false" : "true");
}

void ConfigMembers::only_number(std::string_view name, std::int64_t wanted) {
  if (!has(name)) return;
  double value = 0;
  if (root_[name].get(value) != simdjson::SUCCESS || value != static_cast<double>(wanted)) {
    fail(name, std::to_string(wanted), found(name));
  }
}

void ConfigMembers::none(std::string_view name) {
  if (has(name)) fail(name, "none", found(name));
}

void ConfigMembers::one_label() {
  simdjson::dom::object labels;
  std::int64_t count = 1;
  if (root_["id2label"].get(labels) == simdjson::SUCCESS) {
    count = static_cast<std::int64_t>(labels.size());
  } else if (root_["num_labels"].get(count) != simdjson::SUCCESS) {
    return;
  }
  if (count != 1) fail("id2label", "one label (a cross-encoder's score)", std::to_string(count));
}

bool ConfigMembers::has(std::string_view name) const {
  element member;
  return root_[name].get(member) == simdjson::SUCCESS && !member.is_null();
}

std::string ConfigMembers::found(std::string_view name) const {
  element member;
  return root_[name].get(member) == simdjson::SUCCESS ? simdjson::minify(member) : "none";
}

void ConfigMembers::fail(std::string_view name, const std::string& expected, const std::string& found) {
  if (error_.empty()) {
    error_ = std::string(name) + ": expected " + expected + ", found " + first_code_points(found, 100);
  }
}

tl::expected<element, std::string> parse_config(simdjson::dom::parser& parser, std::string_view json) {
  // simdjson copies what it is given, and an empty view may be null.
  if (json.empty()) return tl::unexpected<std::string>("not JSON: empty");
  element root;
  if (const auto error = parser.parse(json.data(), json.size()).get(root)) {
    return tl::unexpected(std::string("not JSON: ") + simdjson::error_message(error));
  }
  if (!root.is_object()) return tl::unexpected<std::string>("not an object");
  return root;
}

std::string_view architecture_of(element root) {
  std::string_view name;
  return root["architectures"].at(0).get(name) == simdjson::SUCCESS ? name : std::string_view{};
}

}  // namespace qrerank::reranker::model
