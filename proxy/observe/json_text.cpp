#include "proxy/observe/json_text.hpp"

#include <algorithm>

#include "reranker/utf8.hpp"

namespace qrerank::proxy::observe {
namespace {

// How many bytes at its start stand for themselves.
std::size_t plain_bytes(std::string_view text) {
  const auto end = std::ranges::find_if(
      text, [](unsigned char byte) { return byte < 0x20 || byte >= 0x7F || byte == '"' || byte == '\\'; });
  return static_cast<std::size_t>(end - text.begin());
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  while (!text.empty()) {
    const std::size_t plain = plain_bytes(text);
    out.append(text, 0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const auto byte = static_cast<unsigned char>(text.front());
    if (byte == '"' || byte == '\\') {
      out += '\\';
      out += text.front();
      text.remove_prefix(1);
    } else if (byte == '\n') {
      out += "\\n";
      text.remove_prefix(1);
    } else if (byte < 0x20 || byte == 0x7F) {
      out += "\\u00";
      out += kHex[byte >> 4];
      out += kHex[byte & 15];
      text.remove_prefix(1);
    } else {
      const std::string_view before = text;
      const char32_t point = reranker::next_code_point(text);
      const auto taken = before.substr(0, before.size() - text.size());
      if (taken.size() == 1 || (point >= 0x80 && point < 0xA0)) {
        // One byte above 0x7F is never a character; U+0080 to U+009F control terminals.
        out +=
            taken.size() == 1 ? "\xEF\xBF\xBD" : std::string("\\u00") + kHex[point >> 4] + kHex[point & 15];
      } else {
        out += taken;
      }
    }
  }
  out += '"';
}

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace qrerank::proxy::observe
