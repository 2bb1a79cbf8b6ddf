// What the program's listeners have in common: sockets that a service manager opened, and how addresses are
// shown. Not here: accepting, which each listener does in its own way.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include "proxy/config/config.hpp"

namespace qrerank::proxy::http {

/// IPv6 where the socket is one of IPv6, else IPv4: for assign(), which complains of what is neither.
[[nodiscard]] boost::asio::ip::tcp protocol_of(int socket);

/// As it is written in settings: an IPv6 address in brackets.
[[nodiscard]] config::Endpoint shown(const boost::asio::ip::tcp::endpoint& bound);

}  // namespace qrerank::proxy::http
