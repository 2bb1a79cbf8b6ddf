#include "proxy/rewrite/text_fields.hpp"

#include <array>
#include <bit>
#include <boost/locale/utf.hpp>
#include <charconv>
#include <cstring>
#include <optional>

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

char* put_code_point(char* out, char32_t point) {
  return boost::locale::utf::utf_traits<char>::encode(point, out);
}

/// The four hexadecimal digits at `at`, or nothing.
std::optional<char32_t> hex4(const char* at, const char* end) {
  std::uint32_t value = 0;
  if (end - at < 4) {
    return std::nullopt;
  }
  const auto [stop, code] = std::from_chars(at, at + 4, value, 16);
  if (code != std::errc() || stop != at + 4) {
    return std::nullopt;
  }
  return static_cast<char32_t>(value);
}

/// One `\u` escape (with the second of a pair): `at` stands behind its `u`, and then behind the escape.
char* put_unicode_escape(char* out, const char*& at, const char* end) {
  const auto first = hex4(at, end);
  if (!first) {
    return put_code_point(out, kReplacement);
  }
  at += 4;
  if (*first < 0xD800 || *first > 0xDFFF) {
    return put_code_point(out, *first);
  }
  if (*first <= 0xDBFF && end - at >= 2 && at[0] == '\\' && at[1] == 'u') {
    if (const auto second = hex4(at + 2, end); second && *second >= 0xDC00 && *second <= 0xDFFF) {
      at += 6;
      return put_code_point(out, 0x10000 + ((*first - 0xD800) << 10) + (*second - 0xDC00));
    }
  }
  return put_code_point(out, kReplacement);
}

/// What stands for what behind a backslash; 0: nothing that fits a table.
constexpr std::array<char, 256> kSimpleEscapes = [] {
  std::array<char, 256> values{};
  constexpr std::string_view kNames = "\"\\/bfnrt";
  constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    values[static_cast<unsigned char>(kNames[i])] = kMeanings[i];
  }
  return values;
}();

/// One escape: `at` stands on its backslash, and then behind it.
char* put_escape(char* out, const char*& at, const char* end) {
  ++at;
  if (at == end) {
    return put_code_point(out, kReplacement);
  }
  if (const char meaning = kSimpleEscapes[static_cast<unsigned char>(*at)]; meaning != 0) {
    ++at;
    *out = meaning;
    return out + 1;
  }
  if (*at == 'u') {
    return put_unicode_escape(out, ++at, end);
  }
  // What stands behind the backslash is text, maybe the first byte of a longer character.
  return put_code_point(out, kReplacement);
}

/// Eight bytes of a text as one number, the first of them the lowest.
static_assert(std::endian::native == std::endian::little);
constexpr std::size_t kStep = sizeof(std::uint64_t);

/// The number of bytes before the first backslash among eight.
std::size_t plain_bytes(std::uint64_t eight) {
  constexpr std::uint64_t kOnes = 0x0101010101010101;
  // A byte that is 0 borrows from its high bit; what stands above the first one does not count.
  const std::uint64_t zeros = eight ^ (kOnes * '\\');
  const std::uint64_t marks = (zeros - kOnes) & ~zeros & (kOnes << 7);
  return static_cast<std::size_t>(std::countr_zero(marks)) / 8;
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

char* unescape(char* out, std::string_view raw) {
  const char* at = raw.data();
  const char* const end = at + raw.size();
  while (at != end) {
    if (end - at >= static_cast<std::ptrdiff_t>(kStep)) {
      // Copied whether an escape is among them or not: what follows goes over it.
      std::uint64_t eight = 0;
      std::memcpy(&eight, at, kStep);
      std::memcpy(out, &eight, kStep);
      const std::size_t plain = plain_bytes(eight);
      at += plain;
      out += plain;
      if (plain == kStep) {
        continue;
      }
    } else if (*at != '\\') {
      *out++ = *at++;
      continue;
    }
    out = put_escape(out, at, end);
  }
  return out;
}

void append_unescaped(std::string& out, std::string_view raw) {
  const std::size_t before = out.size();
  out.resize(before + unescaped_room(raw.size()));
  out.resize(static_cast<std::size_t>(unescape(out.data() + before, raw) - out.data()));
}

}  // namespace qrerank::proxy::rewrite
