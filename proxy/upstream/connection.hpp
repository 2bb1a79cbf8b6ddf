// One connection to a node and the bytes read from it.
#pragma once

#include <cstdint>
#include <string>

#include "proxy/http/buffer.hpp"
#include "proxy/http/wire.hpp"
#include "proxy/upstream/nodes.hpp"

namespace qrerank::proxy::upstream {

/// Counted at its node while it lives.
struct Connection {
  Connection(http::Socket socket, http::Deadlines& deadlines, Nodes& all, std::size_t which)
      : wire(std::move(socket), deadlines), buffer(kBufferBytes), nodes(all), node(which) {
    nodes.opened(node);
  }
  ~Connection() {
    if (idle) wire.close_done();
    if (resting_) nodes.rests_no_more(node, false);
    nodes.closed(node);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// The node as configured, for messages.
  [[nodiscard]] const std::string& name() const { return nodes.url(node).text; }

  /// It waits in its pool from now on.
  void rest() {
    resting_ = true;
    nodes.rests(node);
  }
  /// A request found it there.
  void wake() {
    resting_ = false;
    nodes.rests_no_more(node, true);
    reused = true;
    idle = false;
  }

  // A search answer with payloads fits; pages that are not reached cost nothing.
  static constexpr std::size_t kBufferBytes = 32 * 1024;

  http::Wire wire;
  http::Buffer buffer;
  Nodes& nodes;
  const std::size_t node;      ///< index into upstream.url
  bool reused = false;         ///< has carried an exchange before this lease
  bool idle = false;           ///< nothing is begun on it
  bool answered = false;       ///< a byte of a response came since this lease began
  std::uint64_t requests = 0;  ///< leases it was given to
  const http::Clock::time_point opened = http::Clock::now();
  http::Clock::time_point idle_since{};

 private:
  bool resting_ = false;
};

}  // namespace qrerank::proxy::upstream
