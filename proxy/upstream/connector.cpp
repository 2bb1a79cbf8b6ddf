#include "proxy/upstream/connector.hpp"

#include <boost/asio/error.hpp>
#include <stdexcept>

#include "proxy/upstream/connection_race.hpp"

namespace qrerank::proxy::upstream {
namespace {

using http::Clock;
using http::ErrorCode;

UpstreamError error_of(const config::UpstreamUrl& url, std::string_view doing, bool late,
                       std::string_view why) {
  std::string message = "upstream " + url.text + ": ";
  message.append(doing).append(": ").append(late ? "timed out" : why);
  return {late ? UpstreamErrorKind::connect_timeout : UpstreamErrorKind::connect_refused, std::move(message)};
}

}  // namespace

http::Awaitable<tl::expected<http::Socket, NoSocket>> open_socket(http::Executor executor,
                                                                  Addresses& addresses,
                                                                  Clock::time_point until) {
  auto known = co_await addresses.get(until);
  if (!known) co_return tl::unexpected(NoSocket{"cannot resolve the name", known.error()});
  auto socket = co_await connect_to_first(executor, *known, until);
  if (socket) co_return std::move(*socket);
  auto others = co_await addresses.others_than(std::move(*known), until);
  if (others) socket = co_await connect_to_first(executor, std::move(*others), until);
  if (socket) co_return std::move(*socket);
  co_return tl::unexpected(NoSocket{"cannot connect", socket.error()});
}

Connector::Connector(http::asio::io_context& context, http::Deadlines& deadlines, Nodes& nodes)
    : Connector(context, deadlines, nodes, system_lookup(context)) {}

Connector::Connector(http::asio::io_context& context, http::Deadlines& deadlines, Nodes& nodes,
                     LookUp look_up)
    : executor_(context.get_executor()), deadlines_(deadlines), nodes_(nodes), sessions_(nodes.size()) {
  const Clock::duration fresh_for = nodes.config().resolve_interval;
  for (std::size_t i = 0; i < nodes.size(); ++i)
    addresses_.emplace_back(executor_, look_up, nodes.url(i).address, fresh_for);
}

http::Awaitable<std::optional<UpstreamError>> Connector::secure(Connection& connection,
                                                                Clock::time_point until) {
  const config::UpstreamUrl& url = nodes_.url(connection.node);
  tls::ContextPtr context = nodes_.tls();
  if (!context) throw std::logic_error("an https upstream without a TLS context");
  http::Wire& wire = connection.wire;
  const std::string host(config::bare_host(url.address.host));
  auto channel = tls::Channel::connect(std::move(context), wire.socket().native_handle(), host,
                                       &sessions_[connection.node]);
  const ErrorCode error = co_await wire.start_tls(std::move(channel), until - Clock::now());
  if (!error) co_return std::nullopt;
  const std::string& why = wire.channel()->why();
  UpstreamError failed = error_of(url, "TLS handshake failed", error == http::asio::error::timed_out,
                                  why.empty() ? error.message() : why);
  if (failed.kind == UpstreamErrorKind::connect_refused) failed.kind = UpstreamErrorKind::tls_failed;
  co_return failed;
}

http::Awaitable<ConnectResult> Connector::connect(std::size_t node, Clock::duration limit) {
  const Clock::time_point until = Clock::now() + limit;
  auto socket = co_await open_socket(executor_, addresses_[node], until);
  if (!socket) {
    const NoSocket& why = socket.error();
    const bool late = why.error == http::asio::error::timed_out;
    co_return tl::unexpected(error_of(nodes_.url(node), why.doing, late, why.error.message()));
  }
  auto connection = std::make_unique<Connection>(std::move(*socket), deadlines_, nodes_, node);
  connection->wire.prepare();
  if (nodes_.url(node).tls) {
    auto unsafe = co_await secure(*connection, until);
    if (unsafe) co_return tl::unexpected(*std::move(unsafe));
  }
  co_return std::move(connection);
}

}  // namespace qrerank::proxy::upstream
