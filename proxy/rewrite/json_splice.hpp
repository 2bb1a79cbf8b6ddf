// Changes to a JSON text that leave every other byte as it is: collected first, applied at once. Which
// changes a search needs is request.hpp's work.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/rewrite/json_spans.hpp"

namespace qrerank::proxy::rewrite {

/// `text` as a JSON string with its quotes. Must be valid UTF-8.
std::string json_quoted(std::string_view text);

/// Edits of one text. Each value may be edited once; an edit inside a replaced or removed value is not
/// allowed (std::logic_error when applied, for either is our bug).
class JsonSplice {
 public:
  /// `value_text` takes the value's place.
  void replace(const JsonValue& value, std::string value_text);
  /// The member goes, and one comma with it.
  void remove(const JsonValue& member);
  /// A new last member of `object`. Its key must not need escapes.
  void insert(const JsonValue& object, std::string_view key, std::string value_text);

  [[nodiscard]] bool empty() const { return edits_.empty(); }

  /// The bytes of `within` with the edits that lie in it; of a tree's root also the white space around it.
  [[nodiscard]] std::string apply(const JsonValue& within) const;

 private:
  struct Edit {
    enum class Kind { replace, remove, insert } kind;
    JsonValue where;
    std::string text;
  };
  std::vector<Edit> edits_;
};

}  // namespace qrerank::proxy::rewrite
