// A request's body read whole into memory, for the interceptor: within its limits, or not at all.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/http/body.hpp"
#include "proxy/http/observer.hpp"
#include "proxy/http/places.hpp"
#include "proxy/http/wire.hpp"

namespace qrerank::proxy::http {

struct HeldBody {
  enum class State {
    whole,
    too_large,  ///< `body` is its beginning, the rest is still to be read
    refused,    ///< with `status`, `why` says
    gone        ///< nobody sends any more, or the whole request's time is over
  };
  State state = State::gone;
  std::string body;  ///< transfer coding removed
  bool continue_sent = false;
  unsigned status = 400;
  std::string_view why;
  std::optional<Limit> limit = {};  ///< that was run into
};

/// The request that a body belongs to, and how far it may go.
struct Holding {
  const MessageFacts& facts;
  int client_version;
  std::uint64_t max_body;
  std::chrono::milliseconds body_timeout;  ///< between two reads
  const Deadline& whole;                   ///< of the request
};

/// Reads `body` from the client, what is buffered first; sends `100 Continue` where it is waited for. `share`
/// grows with what arrives, whatever length was announced. All that is referred to must outlive the
/// coroutine.
[[nodiscard]] Awaitable<HeldBody> hold_body(Wire& client, Buffer& buffer, BodyReader& body,
                                            const Holding& how, ByteShare& share);

}  // namespace qrerank::proxy::http
