// A text's words as the mocks see them. Tokenizers of models are tokenizer/'s.
#pragma once

#include <string>
#include <string_view>

#include "reranker/utf8.hpp"

namespace qrerank::reranker {

/// ASCII letters and digits, and all that is neither ASCII nor punctuation or space of Latin, General
/// Punctuation and CJK.
bool is_word_char(char32_t c);
/// For Latin-1, Greek and Cyrillic; others as they are.
char32_t lower(char32_t c);

/// Calls `each(word)` for every word, lower-cased; words are compared as code points.
template <typename Each>
void for_each_word(std::string_view text, Each each) {
  std::u32string word;
  while (!text.empty()) {
    const char32_t c = next_code_point(text);
    if (is_word_char(c)) {
      word += lower(c);
    } else if (!word.empty()) {
      each(word);
      word.clear();
    }
  }
  if (!word.empty()) {
    each(word);
  }
}

}  // namespace qrerank::reranker
