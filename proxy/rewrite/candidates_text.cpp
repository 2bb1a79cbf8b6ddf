#include "proxy/rewrite/candidates_text.hpp"

#include <algorithm>

#include "reranker/utf8.hpp"

namespace qrerank::proxy::rewrite {

using namespace slices;  // NOLINT: the room's own words

namespace {

/// Whether the key token names `name`; `scratch` is for the rare key with escapes.
bool names(std::string_view token, std::string_view name, std::string& scratch) {
  const std::string_view raw = unquoted(token);
  if (raw.find('\\') == std::string_view::npos) {
    return raw == name;
  }
  scratch.clear();
  append_unescaped(scratch, raw);
  return scratch == name;
}

}  // namespace

tl::expected<std::string_view, std::string> TextReader::read(ondemand::object& payload, const char* end) {
  slice_ = {};
  arena_.cut(0);
  std::fill(roots_.begin(), roots_.end(), std::string_view());
  Done walked = for_members(payload, [&](std::string_view key, ondemand::value& value) -> Done {
    std::string_view slice;
    for (std::size_t i = 0; i < roots_.size(); ++i) {
      if (!roots_[i].empty() || !names(key, fields_.paths[i].root(), key_)) {
        continue;
      }
      if (slice.empty()) {
        const auto read = slice_of(value);
        if (!read) {
          return fail(read.error());
        }
        slice = *read;
      }
      roots_[i] = slice;
    }
    return {};
  });
  if (!walked) {
    return tl::unexpected(std::move(walked.error()));
  }
  for (std::size_t i = 0; i < roots_.size(); ++i) {
    if (roots_[i].empty()) {
      continue;
    }
    if (Done read = read_path(fields_.paths[i], roots_[i], end); !read) {
      return tl::unexpected(std::move(read.error()));
    }
    if (fields_.first_non_empty && !text().empty()) {
      break;
    }
  }
  return arena_.open().empty() ? slice_ : arena_.close();
}

Done TextReader::read_path(const FieldPath& path, std::string_view root, const char* end) {
  if (root.front() != '{' && root.front() != '[') {
    if (path.is_plain_key()) {
      take_scalar(root);
    }
    return {};
  }
  if (root.front() == '{' && path.is_plain_key()) {
    note_object(path);
    return {};
  }
  ondemand::document document;
  if (const auto code = parser_.iterate(padded_slice(root, end)).get(document); code != simdjson::SUCCESS) {
    return fail(code);
  }
  ondemand::value value;
  if (const auto code = document.get_value().get(value); code != simdjson::SUCCESS) {
    return fail(code);
  }
  return walk(path, path.steps.begin() + 1, value);
}

Done TextReader::walk(const FieldPath& path, Step step, ondemand::value& value) {
  if (step == path.steps.end()) {
    return take(path, value);
  }
  const char first = first_of(value);
  if (step->kind == PathStep::Kind::key) {
    ondemand::object object;
    if (first != '{' || value.get_object().get(object) != simdjson::SUCCESS) {
      return {};
    }
    bool found = false;
    return for_members(object, [&](std::string_view key, ondemand::value& member) -> Done {
      if (found || !names(key, step->key, key_)) {
        return {};
      }
      found = true;
      return walk(path, step + 1, member);
    });
  }
  ondemand::array array;
  if (first != '[' || value.get_array().get(array) != simdjson::SUCCESS) {
    return {};
  }
  std::size_t index = 0;
  return for_elements(array, [&](ondemand::value& element) -> Done {
    if (step->kind == PathStep::Kind::index && index++ != step->index) {
      return {};
    }
    return walk(path, step + 1, element);
  });
}

Done TextReader::take(const FieldPath& path, ondemand::value& value) {
  const char first = first_of(value);
  if (first == '{') {
    note_object(path);
    return {};
  }
  if (first != '[') {
    take_scalar(trimmed_end(value.raw_json_token()));
    return {};
  }
  ondemand::array array;
  if (const auto code = value.get_array().get(array); code != simdjson::SUCCESS) {
    return fail(code);
  }
  return for_elements(array, [&](ondemand::value& element) -> Done {
    const char kind = first_of(element);
    if (kind == '{') {
      note_object(path);
    } else if (kind != '[') {
      take_scalar(trimmed_end(element.raw_json_token()));
    }
    return {};
  });
}

void TextReader::take_scalar(std::string_view token) {
  if (is_number(token)) {
    take_slice(token);
    return;
  }
  if (!is_string(token)) {
    return;
  }
  const std::string_view raw = unquoted(token);
  if (raw.find('\\') == std::string_view::npos) {
    take_slice(raw);
    return;
  }
  take_escaped(raw);
}

void TextReader::take_escaped(std::string_view raw) {
  const std::size_t before = arena_.open().size();
  begin_line();
  const std::size_t begin = arena_.open().size();
  char* const out = arena_.room(unescaped_room(raw.size()));
  arena_.extend(unescape(out, raw));
  if (reranker::is_blank(arena_.open().substr(begin))) {
    arena_.cut(before);
  }
}

void TextReader::take_slice(std::string_view value) {
  if (reranker::is_blank(value)) {
    return;
  }
  if (text().empty()) {
    slice_ = value;
  } else {
    begin_line();
    arena_.append(value);
  }
}

// What there is of the text so far stands in the arena then, and a line's end behind it.
void TextReader::begin_line() {
  if (arena_.open().empty()) {
    arena_.append(slice_);
  }
  if (!arena_.open().empty()) {
    arena_.append("\n");
  }
}

void TextReader::note_object(const FieldPath& path) {
  if (object_path_.empty()) {
    object_path_ = path.spelled;
  }
}

}  // namespace qrerank::proxy::rewrite
