// The table, its names, and the check of one value against it. Words for messages and the grammar of carrier
// text are in option_text.cpp.
#include "reranker/options.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <variant>

#include "reranker/option_text.hpp"
#include "reranker/utf8.hpp"

namespace qrerank::reranker {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::string_view kPrefix = "rerank_";
constexpr std::string_view kQueryName = "rerank_query";
constexpr std::string_view kTopKName = "rerank_top_k";
// Each is looked for in each payload: the work of one request stays bounded.
constexpr double kMaxPaths = 64;

constexpr std::array kTable = {
    OptionSpec{"use_reranker", "rerank", OptionType::boolean, 0, 0, "", "false",
               "Rerank this search; a collection may be configured `always` or `never`."},
    OptionSpec{kQueryName, "", OptionType::text, 1, 8192, "", "from the request",
               "What the hits are judged against."},
    OptionSpec{"rerank_model", "", OptionType::text, 1, 0, "", "by mapping",
               "The configured model that judges."},
    OptionSpec{kTopKName, "", OptionType::integer, 10, 200, "", "50",
               "How many candidates are fetched and scored."},
    OptionSpec{
        "rerank_instruction", "", OptionType::text, 1, 0, "", "the model's own",
        "What relevance means here: a text, or the name of a configured instruction; ignored by models "
        "that do not follow instructions."},
    OptionSpec{"rerank_field", "", OptionType::paths, 1, kMaxPaths, "",
               "first non-empty of content, text, document, page_content",
               "Where in the payload the text is: one path or a list, whose values are joined by newlines."},
    OptionSpec{"rerank_score_threshold", "", OptionType::number, -kInfinity, kInfinity, "", "none",
               "Drops points whose final score is below it, and unscored ones, before offset and limit."},
    OptionSpec{"rerank_weight", "", OptionType::number, 0, 1, "", "1",
               "The share of the model's judgement in the order; the rest is the vector score's."},
    OptionSpec{"rerank_on_error", "", OptionType::choice, 0, 0, "fallback|error", "fallback",
               "What happens when the hits cannot be scored: the vector order, or an error."},
    OptionSpec{"rerank_timeout_ms", "", OptionType::integer, 1, 60000, "", "from the configuration",
               "The budget for scoring in milliseconds, within the request's own timeout."},
};

using Member =
    std::variant<std::optional<bool> Options::*, std::optional<std::string> Options::*,
                 std::optional<std::int64_t> Options::*, std::optional<std::vector<std::string>> Options::*,
                 std::optional<double> Options::*, std::optional<OnError> Options::*>;

// Where each row of kTable is kept, in the same order.
constexpr std::array<Member, kTable.size()> kMembers = {
    &Options::use_reranker, &Options::query,     &Options::model,           &Options::top_k,
    &Options::instruction,  &Options::fields,    &Options::score_threshold, &Options::weight,
    &Options::on_error,     &Options::timeout_ms};

Member member_of(const OptionSpec& spec) {
  for (std::size_t row = 0; row < kTable.size(); ++row) {
    if (kTable[row].name == spec.name) {
      return kMembers[row];
    }
  }
  throw std::invalid_argument("not an option of the table: " + std::string(spec.name));
}

// What is wrong with a value, without the name and the expectation around it.
using Complaint = std::string;
template <typename T>
using Checked = tl::expected<T, Complaint>;

tl::unexpected<Complaint> wrong_type(const RawOption& value) {
  return tl::make_unexpected(describe(value) + " has the wrong type");
}

tl::unexpected<Complaint> out_of_bounds(const RawOption& value) {
  return tl::make_unexpected(describe(value) + " is out of bounds");
}

Checked<bool> check_boolean(const RawOption& value) {
  if (value.kind != RawOption::Kind::boolean) {
    return wrong_type(value);
  }
  return value.boolean;
}

Checked<std::string> check_text(const OptionSpec& spec, const RawOption& value, const OptionLimits& limits) {
  if (value.kind != RawOption::Kind::text) {
    return wrong_type(value);
  }
  const auto length = count_code_points(value.text);
  if (!length) {
    return tl::make_unexpected("the text is not valid UTF-8");
  }
  if (*length == 0) {
    return tl::make_unexpected("the text is empty");
  }
  if (is_blank(value.text)) {
    return tl::make_unexpected("the text is empty but for white space");
  }
  const double max = effective_max(spec, limits);
  if (max > 0 && static_cast<double>(*length) > max) {
    return tl::make_unexpected(fmt::format("a text of {} characters is out of bounds", *length));
  }
  return value.text;
}

Checked<std::int64_t> check_integer(const OptionSpec& spec, const RawOption& value,
                                    const OptionLimits& limits) {
  // Integers beyond int64 come as numbers; they are integers all the same, and too large for every option.
  constexpr double kInt64Limit = 9223372036854775808.0;
  if (value.kind == RawOption::Kind::number && std::abs(value.number) >= kInt64Limit) {
    return out_of_bounds(value);
  }
  if (value.kind != RawOption::Kind::integer) {
    return wrong_type(value);
  }
  if (static_cast<double>(value.integer) < spec.min ||
      static_cast<double>(value.integer) > effective_max(spec, limits)) {
    return out_of_bounds(value);
  }
  return value.integer;
}

Checked<double> check_number(const OptionSpec& spec, const RawOption& value, const OptionLimits& limits) {
  if (value.kind != RawOption::Kind::number && value.kind != RawOption::Kind::integer) {
    return wrong_type(value);
  }
  const double number =
      value.kind == RawOption::Kind::integer ? static_cast<double>(value.integer) : value.number;
  // Written so that not-a-number fails too.
  if (!std::isfinite(number) || !(number >= spec.min && number <= effective_max(spec, limits))) {
    return out_of_bounds(value);
  }
  return number;
}

Checked<OnError> check_choice(const RawOption& value) {
  if (value.kind != RawOption::Kind::text) {
    return wrong_type(value);
  }
  if (value.text == "fallback") {
    return OnError::fallback;
  }
  if (value.text == "error") {
    return OnError::error;
  }
  return tl::make_unexpected(describe(value) + " is not one of its values");
}

Checked<std::vector<std::string>> check_paths(const OptionSpec& spec, const RawOption& value) {
  std::vector<std::string> paths;
  if (value.kind == RawOption::Kind::list) {
    paths = value.list;
  } else if (value.kind == RawOption::Kind::text) {
    paths.push_back(value.text);
  } else {
    return wrong_type(value);
  }
  if (paths.empty()) {
    return tl::make_unexpected("the list is empty");
  }
  if (static_cast<double>(paths.size()) > spec.max) {
    return out_of_bounds(value);
  }
  for (const std::string& path : paths) {
    if (path.empty()) {
      return tl::make_unexpected("a path is empty");
    }
    if (!count_code_points(path)) {
      return tl::make_unexpected("a path is not valid UTF-8");
    }
  }
  return paths;
}

}  // namespace

void Options::fill_from(const Options& lower) {
  for (const Member& member : kMembers) {
    std::visit(
        [&](auto field) {
          if (!(this->*field).has_value()) {
            this->*field = lower.*field;
          }
        },
        member);
  }
}

std::string OptionSpec::header_name() const {
  if (type == OptionType::boolean) {
    return "X-Rerank";
  }
  std::string header = "X-";
  bool starts_word = true;
  for (const char c : name) {
    if (c == '_') {
      header += '-';
      starts_word = true;
    } else {
      header += starts_word ? static_cast<char>(c - 'a' + 'A') : c;
      starts_word = false;
    }
  }
  return header;
}

std::string OptionSpec::config_key() const {
  if (!name.starts_with(kPrefix) || name == kQueryName) {
    return {};
  }
  return std::string(name.substr(kPrefix.size()));
}

std::span<const OptionSpec> option_table() {
  return kTable;
}

double effective_max(const OptionSpec& spec, const OptionLimits& limits) {
  if (spec.name == kTopKName) {
    return static_cast<double>(limits.max_top_k);
  }
  if (spec.name == kQueryName) {
    return static_cast<double>(limits.max_query_chars);
  }
  return spec.max;
}

const OptionSpec* find_option(std::string_view name) {
  for (const OptionSpec& spec : kTable) {
    if (name == spec.name || (!spec.alias.empty() && name == spec.alias)) {
      return &spec;
    }
  }
  return nullptr;
}

tl::expected<void, std::string> set_option(Options& into, const OptionSpec& spec, const RawOption& value,
                                           const OptionLimits& limits) {
  const auto refuse = [&](const Complaint& complaint) {
    return tl::make_unexpected(
        fmt::format("{}: {}, expected {}", spec.name, complaint, expected_text(spec, limits)));
  };
  // The member's type says which check belongs to it; text and choice are told apart by their C++ types too.
  return std::visit(
      [&]<typename T>(std::optional<T> Options::* field) -> tl::expected<void, std::string> {
        auto checked = [&]() -> Checked<T> {
          if constexpr (std::is_same_v<T, bool>) {
            return check_boolean(value);
          } else if constexpr (std::is_same_v<T, std::string>) {
            return check_text(spec, value, limits);
          } else if constexpr (std::is_same_v<T, std::int64_t>) {
            return check_integer(spec, value, limits);
          } else if constexpr (std::is_same_v<T, double>) {
            return check_number(spec, value, limits);
          } else if constexpr (std::is_same_v<T, OnError>) {
            return check_choice(value);
          } else {
            return check_paths(spec, value);
          }
        }();
        if (!checked) {
          return refuse(checked.error());
        }
        into.*field = std::move(*checked);
        return {};
      },
      member_of(spec));
}

}  // namespace qrerank::reranker
