#include "proxy/observe/metrics/relays.hpp"

#include <utility>

namespace qrerank::proxy::observe::metrics {

Relays::Series& Relays::series(const std::string& name) {
  const auto known = relays_.find(name);
  if (known != relays_.end()) return known->second;
  const Label of{"relay", name};
  const auto bytes = [&](std::string_view direction) {
    return registry_.counter("qrerank_relay_bytes_total",
                             "Bytes of a relay's connections, there from the clients or back to them.",
                             {of, {"direction", direction}});
  };
  Series made{
      .connections = registry_.gauge("qrerank_relay_connections", "Open connections of a relay.", {of}),
      .opened = registry_.counter("qrerank_relay_connections_opened_total", "Connections of a relay.", {of}),
      .failed = registry_.counter("qrerank_relay_connections_failed_total",
                                  "Connections of a relay that none of its targets took.", {of}),
      .turned_away =
          registry_.counter("qrerank_relay_connections_turned_away_total",
                            "Connections of a relay closed because their address had its share.", {of}),
      .bytes_there = bytes("there"),
      .bytes_back = bytes("back")};
  return relays_.emplace(name, std::move(made)).first->second;
}

void Relays::relay(const Relay& now) {
  const std::lock_guard hold(guard_);
  Series& its = series(now.name);
  its.connections.set(static_cast<double>(now.connections));
  its.opened.raise_to(static_cast<double>(now.opened));
  its.failed.raise_to(static_cast<double>(now.failed));
  its.turned_away.raise_to(static_cast<double>(now.turned_away));
  its.bytes_there.raise_to(static_cast<double>(now.bytes_there));
  its.bytes_back.raise_to(static_cast<double>(now.bytes_back));
}

}  // namespace qrerank::proxy::observe::metrics
