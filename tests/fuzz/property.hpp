// How a fuzzer says that a property does not hold, and the input as the fuzzers of searches read it. What is
// asked of the program stands in the *_fuzz.cpp files.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/message.hpp"

namespace qrerank::fuzz {

/// Ends the run with the sentence that is not true of this input; libFuzzer keeps the input.
inline void must(bool holds, std::string_view sentence) {
  if (!holds) {
    std::fprintf(stderr, "property: %.*s\n", static_cast<int>(sentence.size()), sentence.data());
    std::abort();
  }
}

inline std::string_view text_of(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// A request written down so that seeds can be read: `POST /path`, `Name: value` lines, an empty line, the
/// body; lines end with LF. Anything that is no such line is skipped.
struct WrittenRequest {
  std::string_view method;
  std::string_view target;
  std::vector<proxy::http::FieldView> fields;
  std::string_view body;

  explicit WrittenRequest(std::string_view text) {
    const auto line = [&text] {
      const std::size_t end = text.find('\n');
      const std::string_view found = text.substr(0, end);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      return found;
    };
    const std::string_view first = line();
    const std::size_t space = first.find(' ');
    method = first.substr(0, space);
    target = space == std::string_view::npos ? std::string_view() : first.substr(space + 1);
    while (!text.empty()) {
      const std::string_view field = line();
      if (field.empty()) break;
      if (const std::size_t colon = field.find(": "); colon != std::string_view::npos) {
        fields.push_back({field.substr(0, colon), field.substr(colon + 2)});
      }
    }
    body = text;
  }
};

}  // namespace qrerank::fuzz
