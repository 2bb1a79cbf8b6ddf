#include "reranker/words.hpp"

namespace qrerank::reranker {

bool is_word_char(char32_t c) {
  if (c < 0x80) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  }
  const bool latin_punctuation = c < 0xC0 && c != 0xAA && c != 0xB5 && c != 0xBA;
  const bool general_punctuation = c >= 0x2000 && c <= 0x206F;
  const bool cjk_punctuation = (c >= 0x3000 && c <= 0x303F) || (c >= 0xFF00 && c <= 0xFF0F);
  return !latin_punctuation && !general_punctuation && !cjk_punctuation && c != 0xFFFD;
}

char32_t lower(char32_t c) {
  const bool by_32 = (c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7) ||
                     (c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F);
  if (by_32) {
    return c + 32;
  }
  return c >= 0x400 && c <= 0x40F ? c + 80 : c;
}

}  // namespace qrerank::reranker
