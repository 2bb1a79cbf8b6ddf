#include "proxy/http/observer.hpp"

#include <array>

namespace qrerank::proxy::http {

std::string_view setting_of(Limit limit) {
  static constexpr std::array<std::string_view, kLimits> kSettings = {
      "proxy.max_connections",       "proxy.max_connections_per_address",
      "proxy.tls.handshake_timeout", "proxy.header_timeout",
      "proxy.max_header_bytes",      "proxy.max_headers",
      "proxy.body_timeout",          "proxy.request_timeout",
      "proxy.max_inspect_body",      "proxy.max_inspect_memory"};
  return kSettings[static_cast<std::size_t>(limit)];
}

}  // namespace qrerank::proxy::http
