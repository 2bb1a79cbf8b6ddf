// The rows of relays.<name>.*: further ports whose bytes go through as they are.
#include "proxy/config/rows.hpp"

namespace qrerank::proxy::config::rows {

using namespace std::chrono_literals;

void add_relays(Keys& keys) {
  const auto add = [&keys](Key key) { keys.push_back(within(Scope::relay, std::move(key))); };
  add(defaulting_to(values::endpoint("relays", "listen", "Where its clients connect.",
                                     QRERANK_AT(Endpoint, place.relay->listen)),
                    "none: must be said"));
  add(defaulting_to(
      values::endpoints("relays", "to",
                        "Where its bytes go: each connection to one of these in turn, or to the "
                        "next where one does not take it.",
                        QRERANK_AT(std::vector<Endpoint>, place.relay->to)),
      "none: must be said"));
  add(values::duration("relays", "connect_timeout",
                       "For a connection to one of `to`, its name's lookup included.",
                       QRERANK_AT(Milliseconds, place.relay->connect_timeout), 1ms, 10min));
  add(values::duration("relays", "idle_timeout",
                       "Nothing in either direction for so long ends a connection; 0ms: never, as gRPC needs "
                       "it.",
                       QRERANK_AT(Milliseconds, place.relay->idle_timeout), 0ms, 24h));
  add(values::integer<std::uint32_t>("relays", "max_connections",
                                     "Clients at a time; further ones wait in the kernel's queue.",
                                     QRERANK_AT(std::uint32_t, place.relay->max_connections), 1, 1'000'000));
  add(values::integer<std::uint32_t>(
      "relays", "max_connections_per_address",
      "Clients of one address (IPv6: of one /64); a further one is closed. 0: no such limit.",
      QRERANK_AT(std::uint32_t, place.relay->max_connections_per_address), 0, 1'000'000));
}

}  // namespace qrerank::proxy::config::rows
