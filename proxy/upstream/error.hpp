// What can go wrong between us and an upstream, and the status that stands for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace qrerank::proxy::upstream {

/// What can go wrong between us and an upstream.
enum class UpstreamErrorKind : std::uint8_t {
  connect_refused,     ///< no connection, or no address: nothing was sent
  connect_timeout,     ///< upstream.connect_timeout passed
  tls_failed,          ///< no handshake, or not the server that it should be: nothing was sent
  timeout,             ///< the deadline or upstream.response_timeout passed
  cut_off,             ///< the connection ended before the response was complete
  malformed,           ///< not HTTP/1, or ambiguously framed
  too_large,           ///< over upstream.max_response_body, or the room left in proxy.max_inspect_memory
  no_healthy_upstream  ///< the checks of all nodes fail: nothing was sent; the last one
};

inline constexpr std::size_t kUpstreamErrorKinds =
    static_cast<std::size_t>(UpstreamErrorKind::no_healthy_upstream) + 1;

struct UpstreamError {
  UpstreamErrorKind kind = UpstreamErrorKind::cut_off;
  std::string message;  ///< for people: says which upstream and what happened; no secrets
};

[[nodiscard]] std::string_view to_string(UpstreamErrorKind kind);

/// 504 for what timed out, 503 where there was nothing to ask, 502 for the rest.
[[nodiscard]] unsigned status_of(UpstreamErrorKind kind);

}  // namespace qrerank::proxy::upstream
