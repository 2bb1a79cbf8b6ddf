// Connections to the upstreams of one I/O thread, kept alive between requests and handed out as leases. No
// locks: each thread has its own pool. What is said over a connection is exchange.hpp's and the relay's.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/config/config.hpp"
#include "proxy/http/buffer.hpp"
#include "proxy/http/deadline.hpp"
#include "proxy/http/wire.hpp"
#include "proxy/upstream/client.hpp"

namespace qrerank::proxy::upstream {

/// One connection and the bytes read from it.
struct Connection {
  Connection(http::Socket socket, http::Deadlines& deadlines, std::size_t which)
      : wire(std::move(socket), deadlines), buffer(kBufferBytes), url(which) {}

  // A search answer with payloads fits; pages that are not reached cost nothing.
  static constexpr std::size_t kBufferBytes = 32 * 1024;

  http::Wire wire;
  http::Buffer buffer;
  std::size_t url;      ///< index into upstream.urls
  bool reused = false;  ///< has carried an exchange before this lease
  http::Clock::time_point idle_since{};
};

class Pool;

/// The right to use a connection. Dropped, it closes the connection, unless keep() said that the exchange
/// ended cleanly: then the connection returns to its pool.
class Lease {
 public:
  Lease() = default;
  Lease(Pool& pool, std::unique_ptr<Connection> connection)
      : pool_(&pool), connection_(std::move(connection)) {}
  Lease(Lease&&) = default;
  Lease& operator=(Lease&& other) noexcept;
  ~Lease() { end(); }

  Connection& operator*() const { return *connection_; }
  Connection* operator->() const { return connection_.get(); }
  explicit operator bool() const { return connection_ != nullptr; }

  void keep() { keep_ = true; }
  void end();

 private:
  Pool* pool_ = nullptr;
  std::unique_ptr<Connection> connection_;
  bool keep_ = false;
};

using LeaseResult = tl::expected<Lease, UpstreamError>;

class Pool {
 public:
  Pool(http::asio::io_context& context, http::Deadlines& deadlines, const config::Upstream& config);

  /// Gives the turn to the next upstream. An idle connection to it that is still quiet, if there is one;
  /// never waits.
  [[nodiscard]] Lease take_idle();

  /// A new connection to the upstream whose turn it is; where it refuses, to the one after it.
  [[nodiscard]] http::Awaitable<LeaseResult> connect();

  /// Closes the idle ones and keeps no more.
  void shut();

  [[nodiscard]] const config::Upstream& config() const { return config_; }
  [[nodiscard]] const std::string& name_of(const Connection& connection) const {
    return config_.urls[connection.url].text;
  }
  [[nodiscard]] std::size_t idle() const;
  /// Host for a request whose client sent none: the first upstream's address.
  [[nodiscard]] const std::string& host() const { return host_; }

 private:
  friend class Lease;
  using Endpoints = std::vector<http::asio::ip::tcp::endpoint>;

  void put_back(std::unique_ptr<Connection> connection);
  void expire();
  [[nodiscard]] http::Awaitable<LeaseResult> connect_to(std::size_t url);
  [[nodiscard]] http::Awaitable<tl::expected<Endpoints, UpstreamError>> resolve(std::size_t url);

  http::asio::io_context& context_;
  http::Deadlines& deadlines_;
  const config::Upstream& config_;
  std::string host_;
  std::vector<std::vector<std::unique_ptr<Connection>>> idle_;  // per URL, the longest idle first
  http::Deadline expiry_;
  std::size_t turn_ = 0;
  bool shut_ = false;
};

}  // namespace qrerank::proxy::upstream
