#include "proxy/http/listening.hpp"

#include <sys/socket.h>

#include <string>

namespace qrerank::proxy::http {

using boost::asio::ip::tcp;

tcp protocol_of(int socket) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  const bool v6 = ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
                  address.ss_family == AF_INET6;
  return v6 ? tcp::v6() : tcp::v4();
}

config::Endpoint shown(const tcp::endpoint& bound) {
  const std::string host = bound.address().to_string();
  return {bound.address().is_v6() ? "[" + host + "]" : host, bound.port()};
}

}  // namespace qrerank::proxy::http
