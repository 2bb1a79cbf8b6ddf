#include "reranker/utf8.hpp"

#include <boost/locale/utf.hpp>
#include <cstdint>
#include <cstring>
#include <iterator>

namespace qrerank::reranker {
namespace {

namespace utf = boost::locale::utf;
using Traits = utf::utf_traits<char>;

bool is_ascii(char c) {
  return static_cast<unsigned char>(c) < 0x80;
}

/// How many bytes at the beginning are ASCII, each a code point.
std::size_t ascii_prefix(std::string_view text) {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  std::size_t size = 0;
  for (std::uint64_t eight = 0; size + sizeof eight <= text.size(); size += sizeof eight) {
    std::memcpy(&eight, text.data() + size, sizeof eight);
    if ((eight & kHighBits) != 0) {
      break;
    }
  }
  while (size < text.size() && is_ascii(text[size])) {
    ++size;
  }
  return size;
}

bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200B) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000 || c == 0xFEFF;
}

}  // namespace

std::optional<std::size_t> count_code_points(std::string_view text) {
  std::size_t count = 0;
  for (auto at = text.begin(); at != text.end(); ++count) {
    const utf::code_point point = Traits::decode(at, text.end());
    if (point == utf::illegal || point == utf::incomplete) {
      return std::nullopt;
    }
  }
  return count;
}

char32_t next_code_point(std::string_view& text) {
  auto at = text.begin();
  const utf::code_point point = Traits::decode(at, text.end());
  if (point == utf::illegal || point == utf::incomplete) {
    text.remove_prefix(1);
    return U'\uFFFD';
  }
  text.remove_prefix(static_cast<std::size_t>(at - text.begin()));
  return static_cast<char32_t>(point);
}

std::string first_code_points(std::string_view text, std::size_t max_chars) {
  std::string out;
  while (!text.empty() && max_chars > 0) {
    const std::size_t ascii = ascii_prefix(text.substr(0, max_chars));
    out.append(text, 0, ascii);
    text.remove_prefix(ascii);
    max_chars -= ascii;
    // One letter beyond ASCII seldom comes alone.
    while (!text.empty() && max_chars > 0 && !is_ascii(text.front())) {
      Traits::encode(next_code_point(text), std::back_inserter(out));
      --max_chars;
    }
  }
  return out;
}

bool is_blank(std::string_view text) {
  while (!text.empty()) {
    if (!is_space(next_code_point(text))) {
      return false;
    }
  }
  return true;
}

}  // namespace qrerank::reranker
