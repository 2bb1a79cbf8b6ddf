// The compare page's files, as they stand in proxy/admin/web and are built into the program. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "proxy/admin/handler.hpp"

namespace qrerank::proxy::admin {

/// A file of the page. Made by scripts/cmake/embed_web.cmake.
struct WebFile {
  std::string_view path;  ///< "/web/page.css"; "/" is /web/index.html
  std::string_view content_type;
  std::string_view etag;  ///< quoted, from the content
  std::string_view content;
};

/// True of the page and whatever is below /web/.
bool is_web_path(std::string_view path);

/// GET (or HEAD) of a file: 200, or 304 where `If-None-Match` names what it is now; 404 {"error":…}, 405.
/// Browsers may keep a file and must ask whether it is still the same. A page may load what comes from here
/// and nothing else, may not be framed, and may make no elements out of text.
AdminReply answer_web(std::string_view path, const AdminRequest& request);

}  // namespace qrerank::proxy::admin
