// What the program's listeners have in common: opening one, or taking one that a service manager opened. Not
// here: accepting, which is reception.hpp's, and on the admin listener its own.
#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "proxy/config/config.hpp"
#include "proxy/http/async.hpp"

namespace qrerank::proxy::http {

using Acceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;

/// Listens on `wanted`, or on `handed`, a socket that listens already and is owned from here on. Returns the
/// address as bound, with the real port where 0 was asked for. Waits where a name has to be looked up. The
/// error says which address and why.
[[nodiscard]] tl::expected<config::Endpoint, std::string> open_listener(Acceptor& acceptor,
                                                                        const config::Endpoint& wanted,
                                                                        std::optional<int> handed);

}  // namespace qrerank::proxy::http
