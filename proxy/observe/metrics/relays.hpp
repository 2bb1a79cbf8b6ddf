// Ports that are passed through (proxy/tcp). That room counts for itself; here the numbers are copied when
// Prometheus asks.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "proxy/observe/registry.hpp"

namespace qrerank::proxy::observe::metrics {

class Relays {
 public:
  explicit Relays(Registry& registry) : registry_(registry) {}

  /// A relay as it is now. What is counted is so ever since the start.
  struct Relay {
    std::string name;
    std::uint64_t connections = 0;
    std::uint64_t opened = 0;
    std::uint64_t failed = 0;
    std::uint64_t turned_away = 0;
    std::uint64_t bytes_there = 0;
    std::uint64_t bytes_back = 0;
  };
  void relay(const Relay& now);

 private:
  struct Series {
    Gauge connections;
    Counter opened;
    Counter failed;
    Counter turned_away;
    Counter bytes_there;
    Counter bytes_back;
  };
  Series& series(const std::string& name);

  Registry& registry_;
  std::mutex guard_;                      // of relays_
  std::map<std::string, Series> relays_;  // as many as are configured
};

}  // namespace qrerank::proxy::observe::metrics
