#include "proxy/rewrite/text_fields.hpp"

#include <array>
#include <boost/locale/utf.hpp>
#include <charconv>
#include <iterator>

#include "reranker/utf8.hpp"

namespace qrerank::proxy::rewrite {
namespace {

bool is_key_byte(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || (byte >= '0' && byte <= '9') ||
         byte == '_' || byte == '-' || byte >= 0x80;
}

class PathParser {
 public:
  explicit PathParser(std::string_view path) : path_(path) {}

  tl::expected<FieldPath, std::string> parse() {
    FieldPath result;
    result.spelled = path_;
    if (auto read = key(result); !read) {
      return tl::unexpected(read.error());
    }
    while (at_ < path_.size()) {
      if (result.steps.size() == kMaxPathSteps) {
        return fail("at most " + std::to_string(kMaxPathSteps) + " steps");
      }
      auto read = path_[at_] == '.' ? (++at_, key(result)) : bracket(result);
      if (!read) {
        return tl::unexpected(read.error());
      }
    }
    return result;
  }

 private:
  using Read = tl::expected<void, std::string>;

  [[nodiscard]] tl::unexpected<std::string> fail(std::string_view what) const {
    // The position counts characters, not bytes.
    const auto before = reranker::count_code_points(path_.substr(0, at_)).value_or(at_);
    std::string message = "expected ";
    message.append(what).append(" at character ").append(std::to_string(before + 1));
    message.append(" of `").append(path_).append("`");
    return tl::unexpected(std::move(message));
  }

  Read key(FieldPath& into) {
    PathStep step;
    if (at_ < path_.size() && path_[at_] == '"') {
      const std::size_t end = path_.find_first_of("\"\\", at_ + 1);
      if (end == std::string_view::npos || path_[end] == '\\') {
        at_ = end == std::string_view::npos ? path_.size() : end;
        return fail(at_ == path_.size() ? "a closing quote" : "no backslash in a quoted key");
      }
      step.key = path_.substr(at_ + 1, end - at_ - 1);
      at_ = end + 1;
    } else {
      std::size_t end = at_;
      while (end < path_.size() && is_key_byte(path_[end])) {
        ++end;
      }
      if (end == at_) {
        return fail("a key (letters, digits, _ and -, or any in double quotes)");
      }
      step.key = path_.substr(at_, end - at_);
      at_ = end;
    }
    into.steps.push_back(std::move(step));
    return {};
  }

  Read bracket(FieldPath& into) {
    if (path_[at_] != '[') {
      return fail("`.`, `[` or the end");
    }
    ++at_;
    PathStep step;
    step.kind = PathStep::Kind::all;
    if (at_ < path_.size() && path_[at_] >= '0' && path_[at_] <= '9') {
      step.kind = PathStep::Kind::index;
      const char* const end = path_.data() + path_.size();
      const auto [stop, code] = std::from_chars(path_.data() + at_, end, step.index);
      if (code != std::errc()) {
        return fail("a smaller index");
      }
      at_ = static_cast<std::size_t>(stop - path_.data());
    }
    if (at_ == path_.size() || path_[at_] != ']') {
      return fail(step.kind == PathStep::Kind::all ? "an index or `]`" : "`]`");
    }
    ++at_;
    into.steps.push_back(std::move(step));
    return {};
  }

  std::string_view path_;
  std::size_t at_ = 0;
};

constexpr char32_t kReplacement = U'\uFFFD';

void append_code_point(std::string& out, char32_t point) {
  boost::locale::utf::utf_traits<char>::encode(point, std::back_inserter(out));
}

/// The four hexadecimal digits at `at`, or nothing.
std::optional<char32_t> hex4(std::string_view raw, std::size_t at) {
  std::uint32_t value = 0;
  if (at + 4 > raw.size()) {
    return std::nullopt;
  }
  const char* const begin = raw.data() + at;
  const auto [stop, code] = std::from_chars(begin, begin + 4, value, 16);
  if (code != std::errc() || stop != begin + 4) {
    return std::nullopt;
  }
  return static_cast<char32_t>(value);
}

/// Takes one `\u` escape (with the second of a pair) that stands at `at`, behind its `u`; returns where it
/// ends.
std::size_t append_unicode_escape(std::string& out, std::string_view raw, std::size_t at) {
  const auto first = hex4(raw, at);
  if (!first) {
    append_code_point(out, kReplacement);
    return at;
  }
  at += 4;
  if (*first < 0xD800 || *first > 0xDFFF) {
    append_code_point(out, *first);
    return at;
  }
  if (*first <= 0xDBFF && raw.substr(at, 2) == "\\u") {
    if (const auto second = hex4(raw, at + 2); second && *second >= 0xDC00 && *second <= 0xDFFF) {
      append_code_point(out, 0x10000 + ((*first - 0xD800) << 10) + (*second - 0xDC00));
      return at + 6;
    }
  }
  append_code_point(out, kReplacement);
  return at;
}

}  // namespace

tl::expected<FieldPath, std::string> parse_path(std::string_view path) {
  return PathParser(path).parse();
}

tl::expected<TextFields, std::string> TextFields::parse(std::span<const std::string> paths,
                                                        bool first_non_empty) {
  TextFields fields;
  fields.first_non_empty = first_non_empty;
  fields.paths.reserve(paths.size());
  for (const std::string& path : paths) {
    auto parsed = parse_path(path);
    if (!parsed) {
      return tl::unexpected(std::move(parsed.error()));
    }
    fields.paths.push_back(std::move(*parsed));
  }
  return fields;
}

void append_unescaped(std::string& out, std::string_view raw) {
  for (std::size_t at = 0; at < raw.size();) {
    const std::size_t escape = std::min(raw.find('\\', at), raw.size());
    out.append(raw, at, escape - at);
    if (escape + 1 >= raw.size()) {
      if (escape < raw.size()) {
        append_code_point(out, kReplacement);
      }
      return;
    }
    at = escape + 2;
    constexpr std::string_view kNames = "\"\\/bfnrt";
    constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
    const char name = raw[escape + 1];
    if (name == 'u') {
      at = append_unicode_escape(out, raw, at);
    } else if (const std::size_t known = kNames.find(name); known != std::string_view::npos) {
      out.push_back(kValues[known]);
    } else {
      append_code_point(out, kReplacement);
      at =
          escape + 1;  // what stands behind the backslash is text, maybe the first byte of a longer character
    }
  }
}

void join_line(std::string& text, std::string_view value) {
  if (reranker::is_blank(value)) {
    return;
  }
  if (!text.empty()) {
    text.push_back('\n');
  }
  text.append(value);
}

}  // namespace qrerank::proxy::rewrite
