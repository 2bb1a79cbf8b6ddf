// A point's text out of its payload, by the paths of text_fields.hpp. Internal to candidates.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/rewrite/candidates_slices.hpp"
#include "proxy/rewrite/text_arena.hpp"
#include "proxy/rewrite/text_fields.hpp"

namespace qrerank::proxy::rewrite {

/// Reads texts; keeps its buffers from point to point.
class TextReader {
 public:
  /// Texts that are no slices are written to `arena`, which outlives the reader.
  TextReader(const TextFields& fields, TextArena& arena)
      : fields_(fields), arena_(arena), roots_(fields.paths.size()) {}

  /// Walks the members of a payload and gives its text: a slice of the answer, or kept in the arena. `end` is
  /// where the readable bytes of the answer's buffer end (simdjson reads a little beyond what it parses). On
  /// a name that comes twice the first counts.
  tl::expected<std::string_view, std::string> read(slices::ondemand::object& payload, const char* end);

  /// The first path that named an object, as spelled; empty when none did.
  [[nodiscard]] const std::string& object_path() const { return object_path_; }

 private:
  using Step = std::vector<PathStep>::const_iterator;

  slices::Done read_path(const FieldPath& path, std::string_view root, const char* end);
  slices::Done walk(const FieldPath& path, Step step, slices::ondemand::value& value);
  slices::Done take(const FieldPath& path, slices::ondemand::value& value);
  void take_scalar(std::string_view token);
  void take_escaped(std::string_view raw);
  void take_slice(std::string_view value);
  void begin_line();
  void note_object(const FieldPath& path);
  [[nodiscard]] std::string_view text() const { return arena_.open().empty() ? slice_ : arena_.open(); }

  const TextFields& fields_;
  TextArena& arena_;                     ///< its open text is this one once that is no slice
  std::vector<std::string_view> roots_;  ///< per path: the payload's member it begins in; empty: not there
  std::string_view slice_;               ///< the text while it is one slice of the answer
  std::string key_;
  std::string object_path_;
  slices::ondemand::parser parser_;  ///< for values that are themselves structures
};

}  // namespace qrerank::proxy::rewrite
