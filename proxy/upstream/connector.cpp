#include "proxy/upstream/connector.hpp"

#include <boost/asio/ip/basic_resolver.hpp>
#include <stdexcept>

namespace qrerank::proxy::upstream {
namespace {

namespace asio = http::asio;
using asio::ip::tcp;
using Resolver = asio::ip::basic_resolver<tcp, http::Executor>;

UpstreamError error_of(const config::UpstreamUrl& url, bool late, const std::string& doing,
                       const std::string& why) {
  return {late ? UpstreamErrorKind::connect_timeout : UpstreamErrorKind::connect_refused,
          "upstream " + url.text + ": " + doing + ": " + (late ? std::string("timed out") : why)};
}

std::string without_brackets(const std::string& host) {
  return host.size() > 2 && host.front() == '[' ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

http::Awaitable<tl::expected<Connector::Endpoints, UpstreamError>> Connector::resolve(
    const config::UpstreamUrl& url, http::Clock::duration time) {
  const std::string host = without_brackets(url.address.host);
  boost::system::error_code error;
  const auto literal = asio::ip::make_address(host, error);
  Endpoints endpoints;
  if (!error) {
    endpoints.emplace_back(literal, url.address.port);
    co_return endpoints;
  }
  Resolver resolver(context_.get_executor());
  http::Deadline limit(deadlines_, [&resolver] { resolver.cancel(); });
  limit.arm(time);
  const std::string port = std::to_string(url.address.port);
  auto [failed, found] = co_await resolver.async_resolve(host, port, http::as_result);
  limit.disarm();
  if (failed)
    co_return tl::unexpected(error_of(url, limit.expired(), "cannot resolve the name", failed.message()));
  for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  co_return endpoints;
}

http::Awaitable<std::optional<UpstreamError>> Connector::secure(Connection& connection,
                                                                http::Clock::time_point until) {
  const config::UpstreamUrl& url = nodes_.url(connection.node);
  tls::ContextPtr context = nodes_.tls();
  if (!context) throw std::logic_error("an https upstream without a TLS context");
  http::Wire& wire = connection.wire;
  auto channel = tls::Channel::connect(std::move(context), wire.socket().native_handle(),
                                       without_brackets(url.address.host), &sessions_[connection.node]);
  const http::ErrorCode error = co_await wire.start_tls(std::move(channel), until - http::Clock::now());
  if (!error) co_return std::nullopt;
  const std::string& why = wire.channel()->why();
  UpstreamError failed = error_of(url, error == asio::error::timed_out, "TLS handshake failed",
                                  why.empty() ? error.message() : why);
  if (failed.kind == UpstreamErrorKind::connect_refused) failed.kind = UpstreamErrorKind::tls_failed;
  co_return failed;
}

http::Awaitable<ConnectResult> Connector::connect(std::size_t node, http::Clock::duration time) {
  const config::UpstreamUrl& url = nodes_.url(node);
  const http::Clock::time_point until = http::Clock::now() + time;
  auto endpoints = co_await resolve(url, time);
  if (!endpoints) co_return tl::unexpected(std::move(endpoints.error()));
  UpstreamError why = error_of(url, false, "cannot connect", "the name has no address");
  for (const tcp::endpoint& endpoint : *endpoints) {
    auto connection =
        std::make_unique<Connection>(http::Socket(context_.get_executor()), deadlines_, nodes_, node);
    http::Wire& wire = connection->wire;
    http::Deadline limit(deadlines_, [&wire] { wire.cancel(); });
    limit.arm_at(until);
    auto [error] = co_await wire.socket().async_connect(endpoint, http::as_result);
    limit.disarm();
    if (!error) {
      wire.prepare();
      if (url.tls) {
        auto unsafe = co_await secure(*connection, until);
        if (unsafe) co_return tl::unexpected(*std::move(unsafe));
      }
      co_return std::move(connection);
    }
    why = error_of(url, limit.expired(), "cannot connect", error.message());
    if (limit.expired()) break;
  }
  co_return tl::unexpected(std::move(why));
}

}  // namespace qrerank::proxy::upstream
