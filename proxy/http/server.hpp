// The listener and the I/O threads: accepts, spreads connections over threads, drains. What happens on a
// connection is session.hpp's. No Asio in this header, so that the app can include it cheaply.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "proxy/config/config.hpp"
#include "proxy/tls/context.hpp"

namespace qrerank::proxy::upstream {
class Nodes;
}

namespace qrerank::proxy::trace {
class Tracer;
}

namespace qrerank::proxy::http {

class Interceptor;
class Observer;

class Server {
 public:
  struct Options {
    config::Proxy proxy;
    std::shared_ptr<upstream::Nodes> nodes;
    tls::ContextPtr tls;             ///< of the listener; null: plain HTTP
    std::optional<int> handed = {};  ///< a socket that listens already, used instead of proxy.listen; owned
    const trace::Tracer* tracer = nullptr;  ///< null: no tracing; outlives the server
  };

  /// Binds and listens; no connection is accepted before start(). The error says which address and why.
  /// `interceptor` and `observer` (may be null) must outlive the server.
  [[nodiscard]] static tl::expected<Server, std::string> listen(Options options, Interceptor& interceptor,
                                                                Observer* observer);

  Server(Server&&) noexcept;
  Server& operator=(Server&&) noexcept;
  ~Server();  ///< stops at once what still runs, then joins

  /// The address as bound: "127.0.0.1:7333", the real port when 0 was asked for.
  [[nodiscard]] const config::Endpoint& endpoint() const;

  /// For connections made from now on; those that run keep what they began with. Thread-safe.
  void use_tls(tls::ContextPtr context);

  /// Starts the I/O threads.
  void start();

  /// Begins to drain and returns: no new connections, idle ones are closed, running requests are answered
  /// with `Connection: close`; after proxy.drain_timeout the rest is closed. Thread-safe, may be called
  /// twice.
  void drain();

  /// Calls `done` once every I/O thread has come to it: from one of them, or never while one hangs or when
  /// the drain is over.
  void when_all_respond(std::function<void()> done);

  /// Waits until the drain is over and the threads have ended.
  void join();

  /// Bodies of searches held in memory now. Thread-safe.
  [[nodiscard]] std::uint64_t held_bytes() const;
  /// Connections open now, over all threads.
  [[nodiscard]] std::size_t connections() const;

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace qrerank::proxy::http
