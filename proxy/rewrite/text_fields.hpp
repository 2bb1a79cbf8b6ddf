// Where a point's text lives: Qdrant's JSON paths parsed once per search, and the rules by which the values
// they name become one text. Which paths apply is the request side's choice; walking an answer is
// candidates.cpp's work.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace qrerank::proxy::rewrite {

/// One step of a path.
struct PathStep {
  enum class Kind {
    key,    ///< `name` or `"any name"`: a member of an object
    index,  ///< `[3]`: one element of an array
    all,    ///< `[]`: every element of an array
  };
  Kind kind = Kind::key;
  std::string key;        ///< key: unquoted
  std::size_t index = 0;  ///< index
  bool operator==(const PathStep&) const = default;
};

/// A parsed path: at least one step, the first of them a key.
struct FieldPath {
  std::string spelled;  ///< as the client wrote it, for messages
  std::vector<PathStep> steps;
  /// The whole path is one key of the payload itself.
  [[nodiscard]] bool is_plain_key() const { return steps.size() == 1; }
  /// The payload's own member that the path begins in.
  [[nodiscard]] const std::string& root() const { return steps.front().key; }
  bool operator==(const FieldPath&) const = default;
};

/// More steps than a payload can be deep: Qdrant refuses JSON nested deeper than this.
inline constexpr std::size_t kMaxPathSteps = 128;

/// Parses Qdrant's path syntax: `key`, `a.b`, `a[].b`, `a[0].b`, `a[]`, `"dotted.key".b`. An unquoted key
/// consists of letters, digits, `_` and `-` (letters and digits of any script: every byte above 0x7f is let
/// through); a quoted one of anything but a quote and a backslash. The error says what was expected and at
/// which character (from 1) of the path: "expected a key at character 3 of `a.`".
tl::expected<FieldPath, std::string> parse_path(std::string_view path);

/// The text fields of one search.
struct TextFields {
  std::vector<FieldPath> paths;
  /// True: the text is that of the first path that has any. False: those of all paths are joined.
  bool first_non_empty = true;

  /// Parses every path; the error is that of the first one that does not parse.
  static tl::expected<TextFields, std::string> parse(std::span<const std::string> paths,
                                                     bool first_non_empty);
};

/// What unescape() may write at most for `raw_size` bytes between the quotes.
constexpr std::size_t unescaped_room(std::size_t raw_size) {
  return 2 * raw_size + 8;  // a stray backslash becomes three bytes; writes go up to eight beyond the text
}

/// Writes the text of a JSON string as UTF-8 and returns where it ends. `out` has unescaped_room() bytes.
/// `raw` is what stands between the quotes, as a JSON parser has delimited it. An escape that names half of a
/// surrogate pair becomes U+FFFD, as does one that JSON does not have: a text for a model is never refused
/// for its spelling.
char* unescape(char* out, std::string_view raw);
void append_unescaped(std::string& out, std::string_view raw);

}  // namespace qrerank::proxy::rewrite
