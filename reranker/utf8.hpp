// UTF-8 as options, texts and the mock need it: validity, counting, decoding, white space. No case tables, no
// normalisation.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace qrerank::reranker {

/// The number of code points in `text`, or nothing when it is not valid UTF-8 (overlong forms, surrogates and
/// values above U+10FFFF are not).
std::optional<std::size_t> count_code_points(std::string_view text);

/// Takes one code point off the front of `text` (not empty). Invalid bytes are taken one at a time and give
/// U+FFFD.
char32_t next_code_point(std::string_view& text);

/// The first `max_chars` code points of `text`; invalid bytes count as one each and become U+FFFD.
std::string first_code_points(std::string_view text, std::size_t max_chars);

/// Whether `text` is empty or nothing but white space (Unicode's White_Space, and the invisible U+200B and
/// U+FEFF).
bool is_blank(std::string_view text);

}  // namespace qrerank::reranker
