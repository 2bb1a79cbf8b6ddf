// From a node's URL to a connection that a request can be sent on: name lookup, connect, and whatever has to
// be said before the first byte of HTTP. One per thread; who keeps connections is
// pool.hpp. Outlives the connections that it makes.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/http/deadline.hpp"
#include "proxy/tls/session_slot.hpp"
#include "proxy/upstream/client.hpp"
#include "proxy/upstream/connection.hpp"

namespace qrerank::proxy::upstream {

using ConnectResult = tl::expected<std::unique_ptr<Connection>, UpstreamError>;

class Connector {
 public:
  Connector(http::asio::io_context& context, http::Deadlines& deadlines, Nodes& nodes)
      : context_(context), deadlines_(deadlines), nodes_(nodes), sessions_(nodes.size()) {}

  /// All of it within `limit`. Does not tell the nodes how it ended.
  [[nodiscard]] http::Awaitable<ConnectResult> connect(std::size_t node, http::Clock::duration limit);

 private:
  using Endpoints = std::vector<http::asio::ip::tcp::endpoint>;
  [[nodiscard]] http::Awaitable<tl::expected<Endpoints, UpstreamError>> resolve(
      const config::UpstreamUrl& url, http::Clock::duration limit);
  /// TLS over a connection that was just made.
  [[nodiscard]] http::Awaitable<std::optional<UpstreamError>> secure(Connection& connection,
                                                                     http::Clock::time_point until);

  http::asio::io_context& context_;
  http::Deadlines& deadlines_;
  Nodes& nodes_;
  std::vector<tls::SessionSlot> sessions_;  // of each node
};

}  // namespace qrerank::proxy::upstream
