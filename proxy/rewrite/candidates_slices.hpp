// Slices of a JSON text by simdjson's on-demand walk: what candidates, projection and response share.
// Internal to the response side. On demand means that what is skipped is only checked for balanced brackets
// and closed strings.
#pragma once

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

#include "proxy/rewrite/candidates.hpp"

namespace qrerank::proxy::rewrite::slices {

namespace ondemand = simdjson::ondemand;

using Done = tl::expected<void, std::string>;

inline tl::unexpected<std::string> fail(std::string message) {
  return tl::unexpected(std::move(message));
}
inline tl::unexpected<std::string> fail(simdjson::error_code code) {
  return tl::unexpected(std::string("not JSON: ") + simdjson::error_message(code));
}

/// `text` with the JSON white space at its end cut off.
inline std::string_view trimmed_end(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

/// The token of a key, with its quotes. The parser has seen that it is closed.
inline std::string_view key_token(ondemand::raw_json_string key) {
  const char* const begin = key.raw();
  const char* at = begin;
  while (*at != '"') {
    at += *at == '\\' ? 2 : 1;
  }
  return {begin - 1, static_cast<std::size_t>(at - begin) + 2};
}

/// What stands between a string token's quotes.
inline std::string_view unquoted(std::string_view token) {
  return token.substr(1, token.size() - 2);
}

inline bool is_string(std::string_view token) {
  return token.size() >= 2 && token.front() == '"' && token.back() == '"';
}

inline bool is_number(std::string_view token) {
  return !token.empty() && (token.front() == '-' || (token.front() >= '0' && token.front() <= '9')) &&
         token.back() >= '0' && token.back() <= '9' &&
         token.find_first_not_of("0123456789+-.eE") == std::string_view::npos;
}

/// The first character of a value: tells its type.
inline char first_of(ondemand::value& value) {
  const std::string_view token = value.raw_json_token();
  return token.empty() ? '\0' : token.front();
}

/// A value's bytes, consumed; objects and arrays are skipped over.
inline tl::expected<std::string_view, std::string> slice_of(ondemand::value& value) {
  const char first = first_of(value);
  if (first != '{' && first != '[') {
    if (std::string_view("\"-0123456789tfn").find(first) == std::string_view::npos) {
      return fail("not JSON: a value is missing");
    }
    return trimmed_end(value.raw_json_token());
  }
  std::string_view raw;
  simdjson::error_code code = simdjson::SUCCESS;
  if (first == '{') {
    ondemand::object object;
    code = value.get_object().get(object);
    if (code == simdjson::SUCCESS) {
      code = object.raw_json().get(raw);
    }
  } else {
    ondemand::array array;
    code = value.get_array().get(array);
    if (code == simdjson::SUCCESS) {
      code = array.raw_json().get(raw);
    }
  }
  if (code != simdjson::SUCCESS) {
    return fail(code);
  }
  raw = trimmed_end(raw);
  if (raw.size() < 2 || raw.back() != (first == '{' ? '}' : ']')) {
    return fail("not JSON: brackets do not match");
  }
  return raw;
}

/// Calls `visit(key token, value)` for each member; it returns Done.
template <typename Visit>
Done for_members(ondemand::object& object, Visit&& visit) {
  for (auto field : object) {
    ondemand::raw_json_string key;
    if (const auto code = field.key().get(key); code != simdjson::SUCCESS) {
      return fail(code);
    }
    ondemand::value value = field.value_unsafe().value();
    if (Done done = visit(key_token(key), value); !done) {
      return done;
    }
  }
  return {};
}

/// Calls `visit(value)` for each element; it returns Done.
template <typename Visit>
Done for_elements(ondemand::array& array, Visit&& visit) {
  for (auto element : array) {
    ondemand::value value;
    if (const auto code = element.get(value); code != simdjson::SUCCESS) {
      return fail(code);
    }
    if (Done done = visit(value); !done) {
      return done;
    }
  }
  return {};
}

/// From `begin`, a bracket that was just walked past, up to and with its partner: the walk stands on the
/// token behind.
inline tl::expected<std::string_view, std::string> walked_from(const char* begin,
                                                               ondemand::document& document, char closing) {
  const char* next = nullptr;
  if (const auto code = document.current_location().get(next); code != simdjson::SUCCESS) {
    return fail(code);
  }
  const std::string_view walked = trimmed_end({begin, static_cast<std::size_t>(next - begin)});
  if (walked.size() < 2 || walked.back() != closing) {
    return fail("not JSON: brackets do not match");
  }
  return walked;
}

/// Walks the members of the object that `body` is, to its very end. `body` needs kAnswerPadding of capacity
/// behind it.
template <typename Visit>
Done for_root_members(const std::string& body, ondemand::parser& parser, ondemand::document& document,
                      Visit&& visit) {
  const simdjson::padded_string_view padded(body.data(), body.size(), body.capacity());
  if (const auto code = parser.iterate(padded).get(document); code != simdjson::SUCCESS) {
    return fail(code);
  }
  ondemand::object root;
  if (const auto code = document.get_object().get(root); code != simdjson::SUCCESS) {
    return fail(code);
  }
  if (Done done = for_members(root, visit); !done) {
    return done;
  }
  if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
    return fail("not JSON: something follows the answer");
  }
  return {};
}

/// The same padding for a slice of a buffer whose readable bytes end at `end`.
inline simdjson::padded_string_view padded_slice(std::string_view slice, const char* end) {
  return simdjson::padded_string_view(slice.data(), slice.size(),
                                      static_cast<std::size_t>(end - slice.data()));
}

/// Gives `body` the capacity that the parser asks for.
inline void pad(std::string& body) {
  static_assert(kAnswerPadding >= simdjson::SIMDJSON_PADDING);
  if (body.capacity() < body.size() + kAnswerPadding) {
    body.reserve(body.size() + kAnswerPadding);
  }
}

/// A top-level name of ours in an answer that comes from upstream (another qrerank stands there): it must not
/// come out twice.
inline bool is_ours(std::string_view key) {
  constexpr std::array<std::string_view, 6> kOurs = {R"("reranking_used")",    R"("reranker_model")",
                                                     R"("reranking_time_ms")", R"("reranking_candidates")",
                                                     R"("reranking_reason")",  R"("reranking")"};
  return std::find(kOurs.begin(), kOurs.end(), key) != kOurs.end();
}

}  // namespace qrerank::proxy::rewrite::slices
