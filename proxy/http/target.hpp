// The request's target and Host as RFC 9112 §3.2 and RFC 3986 §3.2 define them: which form, and whether the
// authority is one. Pure. Paths are not looked into: they go on as they came, and the upstream judges them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace qrerank::proxy::http {

enum class TargetForm : unsigned char {
  origin,    ///< /path?query
  absolute,  ///< http://authority/path?query
  asterisk   ///< *
};

struct Target {
  TargetForm form = TargetForm::origin;
  std::string_view authority;  ///< of the absolute form
  std::string_view path;       ///< with the query, as it came; of the absolute form it may lack its `/`
};

/// Nothing for what no form allows: authority-form, a fragment, another scheme than http and https, userinfo.
[[nodiscard]] std::optional<Target> parse_target(std::string_view method, std::string_view target);

/// May this be a Host field's value: empty, or a name or IP literal with an optional port?
[[nodiscard]] bool is_host(std::string_view value);

/// `text` as one segment of a path: all but RFC 3986's unreserved characters percent-encoded.
[[nodiscard]] std::string path_segment(std::string_view text);

}  // namespace qrerank::proxy::http
