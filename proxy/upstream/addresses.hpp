// The addresses of one node's name, as one I/O thread knows them: looked up when first needed, again in the
// background when they are old, and again when none of them could be connected to. Never blocks the thread;
// what was known stays when a lookup fails.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "proxy/http/async.hpp"
#include "proxy/http/deadline.hpp"
#include "proxy/upstream/lookup.hpp"

namespace qrerank::proxy::upstream {

class Addresses {
 public:
  /// `fresh_for`: upstream.resolve_interval. `now` tells how old a lookup is; a test turns it by hand.
  using Now = std::function<http::Clock::time_point()>;
  Addresses(http::Executor executor, LookUp look_up, const config::Endpoint& address,
            http::Clock::duration fresh_for, Now now = &http::Clock::now);

  /// What is known, at once; where it is older than `fresh_for` a lookup begins behind it. Waits for a lookup
  /// where nothing is known, until `until`, or where what is known was not looked at for twice that long, a
  /// second at most. The error: of the lookup, or timed_out.
  [[nodiscard]] http::Awaitable<tl::expected<Endpoints, http::ErrorCode>> get(http::Clock::time_point until);

  /// `failed` could not be connected to: looks again, at most once a second, and returns what is found where
  /// it is something else.
  [[nodiscard]] http::Awaitable<std::optional<Endpoints>> others_than(Endpoints failed,
                                                                      http::Clock::time_point until);

 private:
  struct State;
  std::shared_ptr<State> state_;  // a lookup that ends too late finds it gone
};

}  // namespace qrerank::proxy::upstream
