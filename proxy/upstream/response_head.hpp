// Reading the head of an upstream's response into its connection's buffer, for the relay and for whole
// exchanges alike.
#pragma once

#include <tl/expected.hpp>

#include "proxy/http/head.hpp"
#include "proxy/upstream/client.hpp"
#include "proxy/upstream/connection.hpp"

namespace qrerank::proxy::upstream {

struct ReceivedHead {
  std::size_t size =
      0;  ///< bytes of the head at the buffer's front; consume them when the views are done with
  http::MessageFacts facts;
};

/// Over this much an upstream's head is malformed; a fixed bound, for it is our own server that sends it.
inline constexpr std::size_t kMaxResponseHead = 256 * 1024;

/// Reads until a head is complete and not later than `until`, which may be moved meanwhile (with
/// Wire::limit_read); with the same `until` for interim responses and the final one it bounds them together.
/// `head` points into the connection's buffer. An error with kind cut_off and an empty
/// buffer means that not a byte of a response came.
[[nodiscard]] http::Awaitable<tl::expected<ReceivedHead, UpstreamError>> read_response_head(
    Connection& connection, bool to_head, const http::Clock::time_point& until, http::ResponseHead& head);

/// The error for a failed read or write, naming the upstream.
[[nodiscard]] UpstreamError describe(const Connection& connection, const http::ErrorCode& error,
                                     std::string_view doing);

}  // namespace qrerank::proxy::upstream
