// From a name to its addresses: what a lookup is, and the system's. When names are looked up: addresses.hpp.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "proxy/http/wire.hpp"
#include "proxy/upstream/endpoints.hpp"

namespace qrerank::proxy::upstream {

/// Looks a name up and calls back later, on the thread that asked. A seam: tests put a fake here.
using FoundAddresses = std::function<void(http::ErrorCode, Endpoints)>;
using LookUp = std::function<void(const std::string& host, std::uint16_t port, FoundAddresses)>;

/// getaddrinfo, which cannot be interrupted, each on a thread of its own that nobody waits for: neither
/// `context` nor the program is kept from its end by a name server that says nothing. What is found when
/// `context` has ended is dropped.
[[nodiscard]] LookUp system_lookup(http::asio::io_context& context);

}  // namespace qrerank::proxy::upstream
