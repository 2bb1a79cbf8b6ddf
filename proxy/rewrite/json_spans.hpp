// A JSON text as a tree of spans: what each value is and where its bytes stand. The bytes themselves stay the
// caller's and stay as they came; nothing is converted that nobody asks for. Changing a text is
// json_splice.hpp's work; what members mean is request_*.hpp's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace qrerank::proxy::rewrite {

enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };

/// Containers inside one another, the outermost included. Qdrant refuses the 128th.
inline constexpr std::size_t kMaxJsonDepth = 128;

/// Values that a tree keeps, a bound on its memory (about 50 bytes each).
inline constexpr std::size_t kMaxJsonValues = 1'000'000;

class JsonTree;

/// How a tree keeps a value: for JsonValue and the reader only.
struct JsonNode {
  JsonKind kind = JsonKind::null;
  bool escaped_key = false;     // the key is unescaped_[key_index], else it stands in the text
  bool escaped_text = false;    // a string whose text is unescaped_[text_index]
  bool holds_numbers = false;   // an array with elements that have no node
  std::uint32_t begin = 0;      // byte offset
  std::uint32_t end = 0;        // byte offset
  std::uint32_t key_begin = 0;  // of the key's opening quote; begin when there is no key
  std::uint32_t key_size = 0;   // bytes between the quotes, when not escaped
  std::uint32_t key_index = 0;
  std::uint32_t text_index = 0;
  std::uint32_t parent = 0;  // the root is its own
  std::uint32_t after = 0;   // the node behind the last descendant: descendants follow their ancestors
};

/// One value of a tree: a light handle that is valid as long as the tree is (and stays where it is) and the
/// text lives.
class JsonValue {
 public:
  [[nodiscard]] JsonKind kind() const;
  [[nodiscard]] bool is(JsonKind kind) const { return this->kind() == kind; }
  [[nodiscard]] bool is_null() const { return is(JsonKind::null); }

  /// Offsets into the text, the value's first byte and the one behind its last.
  [[nodiscard]] std::size_t begin() const;
  [[nodiscard]] std::size_t end() const;
  /// The value as it is spelled.
  [[nodiscard]] std::string_view raw() const;

  /// Of an object's member: where the key's opening quote stands, and the key without escapes. Of anything
  /// else: begin() and empty.
  [[nodiscard]] std::size_t member_begin() const;
  [[nodiscard]] std::string_view key() const;

  /// Elements or members, in order, members of the same key included. A scalar has none.
  class Iterator;
  class Children;
  [[nodiscard]] Children children() const;

  /// The object or array that the value stands in; of the root itself.
  [[nodiscard]] JsonValue parent() const;
  /// An array with numbers among its elements.
  [[nodiscard]] bool holds_numbers() const;

  /// The first member of that name of an object; nothing for other kinds.
  [[nodiscard]] std::optional<JsonValue> find(std::string_view key) const;

  /// A string without its escapes, valid UTF-8. Throws std::logic_error for another kind.
  [[nodiscard]] std::string text() const;
  [[nodiscard]] bool boolean() const;
  /// A number spelled as an integer (`0` or digits not beginning with 0) that fits: what Qdrant takes for a
  /// count. Nothing for `3.0`, `1e1`, `-0`, `-1` and other kinds.
  [[nodiscard]] std::optional<std::uint64_t> as_count() const;
  /// The same with a sign.
  [[nodiscard]] std::optional<std::int64_t> as_integer() const;
  /// Any number, rounded to a double.
  [[nodiscard]] std::optional<double> as_double() const;

  [[nodiscard]] const JsonTree& tree() const { return *tree_; }
  bool operator==(const JsonValue&) const = default;
  /// The text's order.
  bool operator<(const JsonValue& other) const { return index_ < other.index_; }

 private:
  friend class JsonTree;
  JsonValue(const JsonTree& tree, std::uint32_t index) : tree_(&tree), index_(index) {}
  [[nodiscard]] const JsonNode& node() const;

  const JsonTree* tree_;
  std::uint32_t index_;
};

/// A parsed text. The text must outlive it; only keys and strings that had escapes are held here. Numbers
/// that are elements of arrays (vectors, lists of ids) are checked but not kept: they are no children, the
/// array only says that it had some.
class JsonTree {
 public:
  /// Parses one JSON text as RFC 8259 has it: valid UTF-8 without a byte order mark, nothing behind the
  /// value, nesting up to kMaxJsonDepth, numbers that a double can hold, whole surrogate pairs, at most
  /// kMaxJsonValues values kept and less than 4 GiB. The error says what is wrong, never content. Costs one
  /// copy of the text while it runs.
  static tl::expected<JsonTree, std::string> parse(std::string_view text);

  [[nodiscard]] JsonValue root() const { return {*this, 0}; }
  [[nodiscard]] std::string_view text() const { return text_; }

 private:
  friend class JsonValue;
  friend class JsonReader;

  std::string_view text_;
  std::vector<JsonNode> nodes_;         // in the text's order, the root first
  std::vector<std::string> unescaped_;  // keys and strings that had escapes
};

class JsonValue::Iterator {
 public:
  using value_type = JsonValue;
  using difference_type = std::ptrdiff_t;

  Iterator() = default;
  Iterator(const JsonTree& tree, std::uint32_t index) : tree_(&tree), index_(index) {}
  JsonValue operator*() const { return JsonValue(*tree_, index_); }
  Iterator& operator++();
  Iterator operator++(int) {
    Iterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const Iterator& other) const { return index_ == other.index_; }

 private:
  const JsonTree* tree_ = nullptr;
  std::uint32_t index_ = 0;
};

class JsonValue::Children {
 public:
  Children(Iterator begin, Iterator end) : begin_(begin), end_(end) {}
  [[nodiscard]] Iterator begin() const { return begin_; }
  [[nodiscard]] Iterator end() const { return end_; }
  [[nodiscard]] bool empty() const { return begin_ == end_; }

 private:
  Iterator begin_;
  Iterator end_;
};

}  // namespace qrerank::proxy::rewrite
