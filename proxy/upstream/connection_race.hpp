// Connecting to the first of several addresses that answers (RFC 8305, "happy eyeballs"): the next attempt
// starts when the one before failed or did not come about within a short delay; the first connection wins,
// the others are closed.
#pragma once

#include <tl/expected.hpp>

#include "proxy/http/deadline.hpp"
#include "proxy/http/wire.hpp"
#include "proxy/upstream/endpoints.hpp"

namespace qrerank::proxy::upstream {

/// RFC 8305 §5 recommends 250 ms.
inline constexpr std::chrono::milliseconds kAttemptDelay{250};

/// Tries `endpoints` in their order. The error: timed_out when `until` passed first, else the last attempt's.
/// When the coroutine is destroyed or cancelled, all attempts are closed.
[[nodiscard]] http::Awaitable<tl::expected<http::Socket, http::ErrorCode>> connect_to_first(
    http::Executor executor, Endpoints endpoints, http::Clock::time_point until,
    http::Clock::duration delay = kAttemptDelay);

}  // namespace qrerank::proxy::upstream
