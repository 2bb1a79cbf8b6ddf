// One port that is passed through: its listener, its targets, its connections. Everything runs on the thread
// of the io_context that it is given; what is counted may be read by any.
#pragma once

#include <list>
#include <optional>

#include "proxy/http/reception.hpp"
#include "proxy/http/tunnel.hpp"
#include "proxy/tcp/relays.hpp"
#include "proxy/upstream/addresses.hpp"

namespace qrerank::proxy::tcp {

class Relay {
 public:
  /// `ended` is told of each connection that ended.
  Relay(http::asio::io_context& context, http::Deadlines& deadlines, const config::Relay& settings,
        std::chrono::milliseconds resolve_interval, std::function<void()> ended);

  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  [[nodiscard]] tl::expected<void, std::string> open(std::optional<int> handed);
  void start() { reception_.start(); }
  void stop_accepting() { reception_.stop(); }
  /// Resets all connections.
  void kill_all();

  [[nodiscard]] bool empty() const { return passages_.empty(); }
  [[nodiscard]] RelayStatus status() const;  ///< thread-safe

 private:
  class Passage;
  struct Target {
    config::Endpoint address;
    upstream::Addresses addresses;
  };

  void adopt(http::Socket client, const http::asio::ip::address& from);
  /// To the next target in turn; where it does not take the connection, to the others. The error tells why
  /// the last one did not.
  [[nodiscard]] http::Awaitable<tl::expected<http::Socket, std::string>> connect();

  http::Executor executor_;
  http::Deadlines& deadlines_;
  const config::Relay settings_;
  const std::function<void()> ended_;
  http::Places places_;
  http::Reception reception_;
  std::vector<Target> targets_;
  std::size_t turn_ = 0;
  std::list<Passage> passages_;
  std::atomic<std::uint64_t> opened_{0};
  std::atomic<std::uint64_t> unconnected_{0};
  std::atomic<std::uint64_t> turned_away_{0};
  http::TunnelTraffic traffic_;
};

}  // namespace qrerank::proxy::tcp
