// Asks every node now and then whether it is there, for Nodes, /readyz and /status: of several nodes by GET
// upstream.health_path, of a single one, which is used whatever a check says, by connecting to it.
#pragma once

#include <memory>
#include <vector>

#include "proxy/http/async.hpp"
#include "proxy/upstream/nodes.hpp"

namespace qrerank::proxy::upstream {

/// Everything runs on the io_context given, which one thread runs and which outlives it.
class HealthChecker {
 public:
  HealthChecker(http::asio::io_context& io, std::shared_ptr<Nodes> nodes);
  ~HealthChecker();
  HealthChecker(const HealthChecker&) = delete;
  HealthChecker& operator=(const HealthChecker&) = delete;

  /// The first check of each node begins at once. Nothing happens where upstream.health_interval is 0.
  void start();
  void stop();

 private:
  struct Watch;
  std::vector<std::shared_ptr<Watch>> watches_;
};

}  // namespace qrerank::proxy::upstream
