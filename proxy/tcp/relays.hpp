// Ports beside the proxied one whose bytes go through as they are, such as Qdrant's gRPC: all of them on one
// thread of their own. What happens on one port is relay.hpp's. No Asio in this header.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/config/config.hpp"

namespace qrerank::proxy::tcp {

/// One of them as it is now.
struct RelayStatus {
  std::string name;               ///< its key under `relays`
  config::Endpoint listen;        ///< as bound
  std::uint64_t connections = 0;  ///< open now
  // Ever:
  std::uint64_t opened = 0;       ///< connections accepted
  std::uint64_t unconnected = 0;  ///< of those, reset because no target took them
  std::uint64_t turned_away = 0;  ///< closed because their address had its share
  std::uint64_t bytes_there = 0;  ///< from clients
  std::uint64_t bytes_back = 0;   ///< to clients
};

class Relays {
 public:
  struct Options {
    std::vector<config::Relay> relays;
    std::chrono::milliseconds drain_timeout{};     ///< proxy.drain_timeout
    std::chrono::milliseconds resolve_interval{};  ///< upstream.resolve_interval
    std::map<std::string, int> handed;  ///< by name: sockets that listen already, used instead; owned
  };

  /// Binds and listens; no connection is accepted before start(). The error names the setting, the address
  /// and the system's reason.
  [[nodiscard]] static tl::expected<Relays, std::string> listen(Options options);

  Relays(Relays&&) noexcept;
  Relays& operator=(Relays&&) noexcept;
  ~Relays();  ///< resets at once what still runs, then joins

  /// Starts the thread; without relays there is none.
  void start();

  /// Begins to drain and returns: no new connections; those that are left after the drain timeout are reset.
  /// Thread-safe, may be called twice.
  void drain();
  /// Waits until the drain is over and the thread has ended.
  void join();

  /// Calls `done` once the thread has come to it, or at once where there is none.
  void when_responds(std::function<void()> done);

  /// In the order of the configuration. Thread-safe.
  [[nodiscard]] std::vector<RelayStatus> status() const;

 private:
  struct Impl;
  explicit Relays(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace qrerank::proxy::tcp
