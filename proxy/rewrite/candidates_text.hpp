// A point's text out of its payload, by the paths of text_fields.hpp. Internal to candidates.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "proxy/rewrite/candidates_slices.hpp"
#include "proxy/rewrite/text_fields.hpp"

namespace qrerank::proxy::rewrite {

/// Reads texts; keeps its buffers from point to point.
class TextReader {
 public:
  explicit TextReader(const TextFields& fields) : fields_(fields), roots_(fields.paths.size()) {}

  /// Walks the members of a payload and sets `text`. `end` is where the readable bytes of the answer's buffer
  /// end (simdjson reads a little beyond what it parses). On a name that comes twice the first counts.
  slices::Done read(slices::ondemand::object& payload, const char* end, std::string& text);

  /// The first path that named an object, as spelled; empty when none did.
  [[nodiscard]] const std::string& object_path() const { return object_path_; }

 private:
  using Step = std::vector<PathStep>::const_iterator;

  slices::Done read_path(const FieldPath& path, std::string_view root, const char* end, std::string& text);
  slices::Done walk(const FieldPath& path, Step step, slices::ondemand::value& value, std::string& text);
  slices::Done take(const FieldPath& path, slices::ondemand::value& value, std::string& text);
  void take_scalar(std::string_view token, std::string& text);
  void note_object(const FieldPath& path);

  const TextFields& fields_;
  std::vector<std::string_view> roots_;  ///< per path: the payload's member it begins in; empty: not there
  std::string key_;
  std::string line_;
  std::string object_path_;
  slices::ondemand::parser parser_;  ///< for values that are themselves structures
};

}  // namespace qrerank::proxy::rewrite
