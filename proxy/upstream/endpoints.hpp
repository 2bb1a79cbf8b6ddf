// The addresses behind a node's name, in the order in which they are tried. Pure.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <optional>
#include <vector>

#include "proxy/config/config.hpp"

namespace qrerank::proxy::upstream {

using Endpoints = std::vector<boost::asio::ip::tcp::endpoint>;

/// The address itself where the host is one: there is nothing to look up then.
[[nodiscard]] std::optional<Endpoints> literal(const config::Endpoint& address);

/// RFC 8305 §4: the families take turns, the first one's family first, the order within each kept; none
/// twice.
[[nodiscard]] Endpoints interleaved(const Endpoints& found);

}  // namespace qrerank::proxy::upstream
