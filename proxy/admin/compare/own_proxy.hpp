// Asks the proxy's own listener as an ordinary client would: what comes back is what clients get. Sockets,
// TLS and pooling are proxy/upstream's, with this program itself as the one node.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "proxy/config/config.hpp"
#include "proxy/http/async.hpp"
#include "proxy/upstream/client.hpp"

namespace qrerank::proxy::admin::compare {

/// A question and whose it is.
struct Question {
  std::string method;
  std::string target;
  std::string api_key;  ///< sent as `api-key`; empty: not sent
  std::string body;
};

/// Used on one thread. Answers up to 16 MiB, each within two minutes.
class OwnProxy {
 public:
  /// `listening` is the address as bound (an unspecified host is asked over the loopback); `speaks_tls` is
  /// asked before each question. The certificate is not verified: the other end is this process. Where the
  /// listener demands certificates of its clients the handshake fails, for this one has none.
  OwnProxy(http::asio::io_context& io, const config::Endpoint& listening, std::function<bool()> speaks_tls);
  ~OwnProxy();
  OwnProxy(const OwnProxy&) = delete;
  OwnProxy& operator=(const OwnProxy&) = delete;

  /// "http://127.0.0.1:7333", as people on this machine reach it.
  [[nodiscard]] std::string url() const;

  http::Awaitable<upstream::ExchangeResult> ask(Question question);

 private:
  struct Line;
  [[nodiscard]] Line& line() const;

  std::function<bool()> speaks_tls_;
  std::unique_ptr<Line> plain_;
  std::unique_ptr<Line> secure_;
};

}  // namespace qrerank::proxy::admin::compare
