// After a 101: bytes both ways until both sides have ended, or neither has said anything for a while.
#pragma once

#include "proxy/http/buffer.hpp"
#include "proxy/http/wire.hpp"

namespace qrerank::proxy::http {

/// What is in the buffers is sent first. Returns the bytes sent from `b` to `a`.
[[nodiscard]] Awaitable<std::uint64_t> run_tunnel(Wire& a, Buffer& from_a, Wire& b, Buffer& from_b,
                                                  Clock::duration idle_limit);

}  // namespace qrerank::proxy::http
