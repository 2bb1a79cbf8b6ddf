// Members of a config.json, read and checked one by one: what the families' readers share. Torch-free. Which
// members there are is each family's own business (encoder_config.cpp, qwen3_config.cpp).
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace qrerank::reranker::model {

/// Reads members of one object; the first failure sticks. It names the member, what was expected and what was
/// found.
class ConfigMembers {
 public:
  explicit ConfigMembers(simdjson::dom::element root) : root_(root) {}

  /// An integer from `low` to `high`; 0 on failure.
  std::int64_t size(std::string_view name, std::int64_t low, std::int64_t high);
  /// A number above 0 and below `limit`.
  double positive(std::string_view name, double limit = 1);
  /// A boolean, `absent` where there is none.
  bool flag(std::string_view name, bool absent);

  /// A member that may be missing or null (then it has the wanted value), but not be another.
  void only_word(std::string_view name, std::string_view wanted);
  void only_flag(std::string_view name, bool wanted);
  void only_number(std::string_view name, std::int64_t wanted);
  /// A member that is missing or null.
  void none(std::string_view name);

  /// At most one label where the file says a number; the head's shape decides where it does not.
  void one_label();

  [[nodiscard]] bool has(std::string_view name) const;

  void fail(std::string_view name, const std::string& expected, const std::string& found);
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  /// As the file spells it; "none" where it is missing.
  [[nodiscard]] std::string found(std::string_view name) const;

  simdjson::dom::element root_;
  std::string error_;
};

/// The object that a config.json is, held by `parser`. The error says why it is none.
[[nodiscard]] tl::expected<simdjson::dom::element, std::string> parse_config(simdjson::dom::parser& parser,
                                                                             std::string_view json);

/// The first of `architectures`; empty where there is none.
[[nodiscard]] std::string_view architecture_of(simdjson::dom::element root);

}  // namespace qrerank::reranker::model
