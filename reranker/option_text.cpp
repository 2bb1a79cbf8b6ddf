#include "reranker/option_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "reranker/utf8.hpp"

namespace qrerank::reranker {
namespace {

// Of a value from outside a message shows this much.
constexpr std::size_t kShownChars = 40;

std::string shown(std::string_view text) {
  std::string piece = first_code_points(text, kShownChars);
  // A cut piece is shorter than the text, or as long when invalid bytes grew into replacement characters.
  if (piece.size() < text.size()) {
    piece += "…";
  }
  return piece;
}

// The shortest text that reads back as the same number; 3.0 stays 3.0, for that it is no integer may be the
// point of the message.
std::string number_text(double number) {
  std::string text = fmt::format("{}", number);
  if (text.find_first_not_of("-0123456789") == std::string::npos) {
    text += ".0";
  }
  return text;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const auto first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) {
    return {};
  }
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool equals_ignoring_case(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

RawOption as_text(std::string_view text) {
  RawOption raw;
  raw.kind = RawOption::Kind::text;
  raw.text = std::string(text);
  return raw;
}

RawOption boolean_from(std::string_view text) {
  RawOption raw = as_text(text);
  const bool yes = equals_ignoring_case(text, "true") || text == "1";
  if (yes || equals_ignoring_case(text, "false") || text == "0") {
    raw.kind = RawOption::Kind::boolean;
    raw.boolean = yes;
  }
  return raw;
}

// An integer where it is one; else a number ("3.0", or beyond int64); else text.
RawOption number_from(std::string_view text) {
  RawOption raw = as_text(text);
  const char* const end = text.data() + text.size();
  if (const auto whole = std::from_chars(text.data(), end, raw.integer);
      whole.ec == std::errc() && whole.ptr == end) {
    raw.kind = RawOption::Kind::integer;
    raw.number = static_cast<double>(raw.integer);
    return raw;
  }
  raw.integer = 0;
  const auto parsed = std::from_chars(text.data(), end, raw.number);
  if (parsed.ptr == end && parsed.ec == std::errc()) {
    raw.kind = RawOption::Kind::number;
  }
  return raw;
}

RawOption paths_from(std::string_view text) {
  RawOption raw;
  raw.kind = RawOption::Kind::list;
  bool quoted = false;
  std::size_t start = 0;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    if (at == text.size() || (text[at] == ',' && !quoted)) {
      raw.list.emplace_back(trim(text.substr(start, at - start)));
      start = at + 1;
    } else if (text[at] == '"') {
      quoted = !quoted;
    }
  }
  return raw;
}

}  // namespace

std::string describe(const RawOption& value) {
  switch (value.kind) {
    case RawOption::Kind::boolean:
      return value.boolean ? "true" : "false";
    case RawOption::Kind::integer:
      return fmt::format("{}", value.integer);
    case RawOption::Kind::number:
      return number_text(value.number);
    case RawOption::Kind::text:
      return fmt::format("\"{}\"", shown(value.text));
    case RawOption::Kind::list:
      return fmt::format("a list of {}", value.list.size());
    case RawOption::Kind::other:
      break;
  }
  return value.text.empty() ? "the value" : shown(value.text);
}

std::string expected_text(const OptionSpec& spec, const OptionLimits& limits) {
  const double max = effective_max(spec, limits);
  switch (spec.type) {
    case OptionType::boolean:
      return "true or false";
    case OptionType::text:
      return max > 0 ? fmt::format("a text of 1 to {:.0f} characters", max)
                     : "a text of at least 1 character";
    case OptionType::integer:
      return fmt::format("an integer from {:.0f} to {:.0f}", spec.min, max);
    case OptionType::number:
      return max < std::numeric_limits<double>::infinity()
                 ? fmt::format("a number from {} to {}", spec.min, max)
                 : "a finite number";
    case OptionType::choice: {
      std::string words;
      for (const char c : spec.choices) {
        c == '|' ? words += " or " : words += c;
      }
      return words;
    }
    case OptionType::paths:
      return fmt::format("a payload path or a list of at most {:.0f} payload paths", max);
  }
  return {};
}

RawOption raw_from_text(const OptionSpec& spec, std::string_view text) {
  switch (spec.type) {
    case OptionType::boolean:
      return boolean_from(trim(text));
    case OptionType::integer:
    case OptionType::number:
      return number_from(trim(text));
    case OptionType::choice:
      return as_text(trim(text));
    case OptionType::paths:
      return paths_from(text);
    case OptionType::text:
      break;
  }
  return as_text(text);
}

}  // namespace qrerank::reranker
