// The upstream's nodes and the connections to them (proxy/upstream). That room counts for itself, for it
// needs the numbers; here they are copied when Prometheus asks.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/observe/registry.hpp"

namespace qrerank::proxy::observe::metrics {

class Upstream {
 public:
  /// `errors`: the kinds, in the order of Node::errors.
  Upstream(Registry& registry, std::span<const std::string_view> errors)
      : registry_(registry), errors_(errors.begin(), errors.end()) {}

  /// A node as it is now. What is counted is so ever since the start.
  struct Node {
    std::string url;
    bool up = false;
    std::uint64_t outstanding = 0;
    std::uint64_t connections = 0;
    std::uint64_t idle = 0;  ///< of the connections
    std::uint64_t failures = 0;
    std::uint64_t ejections = 0;
    std::uint64_t opened = 0;
    std::uint64_t reused = 0;
    std::uint64_t sent_again = 0;
    std::span<const std::uint64_t> errors;  ///< by kind
  };
  void node(const Node& now);

 private:
  struct Series {
    Gauge up;
    Gauge outstanding;
    Gauge connections;
    Gauge idle;
    Counter opened;
    Counter reused;
    Counter sent_again;
    Counter failures;
    Counter ejections;
    std::vector<Counter> errors;  // by kind
  };
  Series& series(const std::string& url);

  Registry& registry_;
  const std::vector<std::string> errors_;
  std::mutex guard_;                     // of nodes_
  std::map<std::string, Series> nodes_;  // as many as are configured
};

}  // namespace qrerank::proxy::observe::metrics
