// Text as a JSON string: what logs, the admin endpoints and manifests write. Not for Qdrant's answers, whose
// bytes are never re-serialised.
#pragma once

#include <string>
#include <string_view>

namespace qrerank::proxy::observe {

/// Appends `text` quoted. Control characters are escaped, invalid UTF-8 becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

/// The same as a value.
std::string json_string(std::string_view text);

}  // namespace qrerank::proxy::observe
