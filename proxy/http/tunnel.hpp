// Bytes both ways between two connections until both sides have ended, or neither has said anything for a
// while: after a 101, and for ports that are passed through as they are.
#pragma once

#include <atomic>
#include <cstdint>

#include "proxy/http/buffer.hpp"
#include "proxy/http/wire.hpp"

namespace qrerank::proxy::http {

/// Bytes that went through, told while they do; may be shared by several tunnels.
struct TunnelTraffic {
  std::atomic<std::uint64_t> there{0};  ///< from `a` to `b`
  std::atomic<std::uint64_t> back{0};
};

/// For run_tunnel() and a Wire: practically none.
inline constexpr std::chrono::hours kNoLimit{24 * 365 * 10};

/// `whole`: both sides came to their end. After anything else neither may be taken for complete.
enum class TunnelEnd : std::uint8_t { whole, idle, a_broke, b_broke };

/// What is in the buffers is sent first. An end of one side is passed on as a half-close, and as many bytes
/// are held as the buffers take. `idle`: nothing moved for `idle_limit`. When one side broke, the other one
/// has got what came before, as far as it takes it. Both are reset unless the end is `whole`, also when the
/// coroutine is cancelled.
[[nodiscard]] Awaitable<TunnelEnd> run_tunnel(Wire& a, Buffer& from_a, Wire& b, Buffer& from_b,
                                              Clock::duration idle_limit, TunnelTraffic& traffic);

}  // namespace qrerank::proxy::http
