// From a node's URL to a connection that a request can be sent on: name lookup, connect, and whatever has to
// be said before the first byte of HTTP. One per thread; who keeps connections is
// pool.hpp. Outlives the connections that it makes.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/http/deadline.hpp"
#include "proxy/tls/session_slot.hpp"
#include "proxy/upstream/addresses.hpp"
#include "proxy/upstream/client.hpp"
#include "proxy/upstream/connection.hpp"

namespace qrerank::proxy::upstream {

/// Why there is none: what was tried ("cannot connect") and how it ended; timed_out when `until` passed.
struct NoSocket {
  std::string_view doing;
  http::ErrorCode error;
};

/// Connects to the first of a name's addresses that answers; where none does, looks the name up again, for it
/// may have moved.
[[nodiscard]] http::Awaitable<tl::expected<http::Socket, NoSocket>> open_socket(
    http::Executor executor, Addresses& addresses, http::Clock::time_point until);

using ConnectResult = tl::expected<std::unique_ptr<Connection>, UpstreamError>;

class Connector {
 public:
  Connector(http::asio::io_context& context, http::Deadlines& deadlines, Nodes& nodes);
  /// With another resolver than the system's.
  Connector(http::asio::io_context& context, http::Deadlines& deadlines, Nodes& nodes, LookUp look_up);

  /// All of it within `limit`. Does not tell the nodes how it ended.
  [[nodiscard]] http::Awaitable<ConnectResult> connect(std::size_t node, http::Clock::duration limit);

 private:
  /// TLS over a connection that was just made.
  [[nodiscard]] http::Awaitable<std::optional<UpstreamError>> secure(Connection& connection,
                                                                     http::Clock::time_point until);

  http::Executor executor_;
  http::Deadlines& deadlines_;
  Nodes& nodes_;
  std::vector<Addresses> addresses_;        // of each node
  std::vector<tls::SessionSlot> sessions_;  // of each node
};

}  // namespace qrerank::proxy::upstream
