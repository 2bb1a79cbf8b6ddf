// A second, slow decoder of chunked bodies, for comparison only: line by line as RFC 9112 §7.1 stands.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qrerank::fuzz {

struct WholeBody {
  std::string data;
  std::size_t end = 0;  // of the body in the bytes
};

// Nothing unless a whole body is there. Extensions and trailers are skipped: what is accepted there is judged
// by the decoder under test alone.
inline std::optional<WholeBody> decode_slowly(std::string_view bytes) {
  WholeBody whole;
  const auto line = [&]() -> std::optional<std::string_view> {
    const std::size_t end = bytes.find("\r\n", whole.end);
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view text = bytes.substr(whole.end, end - whole.end);
    whole.end = end + 2;
    return text;
  };
  for (;;) {
    const auto size_line = line();
    if (!size_line) return std::nullopt;
    const std::size_t digits = std::min(size_line->find_first_of(" \t;"), size_line->size());
    if (digits == 0) return std::nullopt;
    std::uint64_t size = 0;
    for (const char c : size_line->substr(0, digits)) {
      const auto digit = std::string_view("0123456789abcdef").find(static_cast<char>(c | 0x20));
      if (digit == std::string_view::npos || (c < '0') || size >> 59) return std::nullopt;
      size = size * 16 + digit;
    }
    if (size == 0) break;
    if (bytes.size() - whole.end < 2 || size > bytes.size() - whole.end - 2) return std::nullopt;
    whole.data.append(bytes.substr(whole.end, size));
    whole.end += size;
    if (bytes.substr(whole.end, 2) != "\r\n") return std::nullopt;
    whole.end += 2;
  }
  for (;;) {
    const auto trailer = line();
    if (!trailer) return std::nullopt;
    if (trailer->empty()) return whole;
  }
}

}  // namespace qrerank::fuzz
