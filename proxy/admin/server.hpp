// The second listener: a small HTTP server for the program's own endpoints. Not for Qdrant's traffic.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "proxy/admin/handler.hpp"
#include "proxy/config/config.hpp"
#include "proxy/http/async.hpp"

namespace qrerank::proxy::admin {

struct ServerLimits {
  std::chrono::milliseconds read_timeout{10'000};   ///< per request, idle time before it included
  std::chrono::milliseconds write_timeout{10'000};  ///< per response
  std::size_t max_header_bytes = 8 * 1024;
  std::size_t max_body_bytes = 64 * 1024;
  /// For a further one that goes whose client has been waited for longest, to send or to read; where answers
  /// are being made for all, the further one is closed at once.
  std::size_t max_connections = 64;
};

/// Serves until stopped or destroyed. All its work runs on the io_context given, which must be run by one
/// thread and must outlive it.
class Server {
 public:
  /// Runs on the io_context; may throw. Other connections are served while it waits. It is cancelled when
  /// its client goes away.
  using Handler = std::function<proxy::http::Awaitable<AdminReply>(AdminRequest)>;

  /// Binds and begins to accept, on `handed` if that is set: a socket that listens already, owned from here
  /// on. The error names the address and the system's reason.
  static tl::expected<std::unique_ptr<Server>, std::string> start(boost::asio::io_context& io,
                                                                  const config::Endpoint& listen,
                                                                  Handler handler, ServerLimits limits = {},
                                                                  std::optional<int> handed = {});
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Where it listens: the port is never 0.
  [[nodiscard]] config::Endpoint address() const;

  /// Closes the listener and all connections. Call it on the io_context's thread, or once that is not
  /// running.
  void stop();

 private:
  friend struct ServerLoops;
  struct Impl;
  explicit Server(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace qrerank::proxy::admin
