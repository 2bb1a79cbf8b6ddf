#include "proxy/http/listening.hpp"

#include <sys/socket.h>

#include <boost/asio/ip/basic_resolver.hpp>

namespace qrerank::proxy::http {
namespace {

using asio::ip::tcp;
using ErrorCode = boost::system::error_code;

// IPv6 where the socket is one of IPv6, else IPv4: for assign(), which complains of what is neither.
tcp protocol_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const bool v6 = ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
                  address.ss_family == AF_INET6;
  return v6 ? tcp::v6() : tcp::v4();
}

// As it is written in settings: an IPv6 address in brackets.
config::Endpoint shown(const tcp::endpoint& bound) {
  const std::string host = bound.address().to_string();
  return {bound.address().is_v6() ? "[" + host + "]" : host, bound.port()};
}

tl::expected<tcp::endpoint, ErrorCode> endpoint_of(const config::Endpoint& address,
                                                   const Executor& executor) {
  const std::string host(config::bare_host(address.host));
  ErrorCode error;
  const auto literal = asio::ip::make_address(host, error);
  if (!error) return tcp::endpoint(literal, address.port);
  asio::ip::basic_resolver<tcp, Executor> resolver(executor);
  const auto found = resolver.resolve(host, std::to_string(address.port), error);
  if (error) return tl::unexpected(error);
  return found.begin()->endpoint();
}

}  // namespace

tl::expected<config::Endpoint, std::string> open_listener(Acceptor& acceptor, const config::Endpoint& wanted,
                                                          std::optional<int> handed) {
  const auto failed = [](std::string doing, const ErrorCode& error) {
    return tl::unexpected(std::move(doing) + ": " + error.message());
  };
  ErrorCode error;
  if (handed) {  // it listens on, whatever becomes of this process
    acceptor.assign(protocol_of(*handed), *handed, error);
  } else {
    const auto address = endpoint_of(wanted, acceptor.get_executor());
    if (!address) return failed("cannot resolve " + wanted.host, address.error());
    acceptor.open(address->protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(*address, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  }
  tcp::endpoint bound;
  if (!error) bound = acceptor.local_endpoint(error);
  if (error && handed) return failed("cannot use the socket that was handed over", error);
  if (error) return failed("cannot listen on " + config::to_string(wanted), error);
  return handed ? shown(bound) : config::Endpoint{wanted.host, bound.port()};
}

}  // namespace qrerank::proxy::http
