// Asking the upstream from inside the proxy: a whole request in memory, a whole response back. Relayed
// requests do not come this way, they are streamed (proxy/http/relay). Sockets and the pool are in pool.hpp.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/http/async.hpp"
#include "proxy/http/message.hpp"
#include "proxy/upstream/error.hpp"

namespace qrerank::proxy::http {
class ByteShare;
}

namespace qrerank::proxy::upstream {

/// The client's answer for it, in Qdrant's error shape; with `Retry-After` on a 503.
[[nodiscard]] http::Reply reply_for(const UpstreamError& error);

/// A request to send. Take the client's fields (http::RequestHead::fields) with what the flow changed:
/// `Host`, `api-key` and the like travel on; hop-by-hop fields, `Expect` and framing are left out,
/// `content-length` is written.
struct Request {
  std::string method;
  std::string target;
  std::vector<http::Field> fields;
  std::string body;
  /// May be sent again when a kept-alive connection turns out to be closed before a byte of the response
  /// came. True for reads (an intercepted search is one, whatever its method).
  bool replayable = true;
  /// Takes what the answer's body takes, and keeps it; without room for it the answer is `too_large`. Null:
  /// only upstream.max_response_body bounds it.
  http::ByteShare* share = nullptr;
};

/// A whole response. Framing and hop-by-hop fields are gone from `fields`; the content coding is still on the
/// body.
struct Response {
  unsigned status = 0;
  std::string reason;
  std::vector<http::Field> fields;
  std::string body;
  std::string_view upstream = {};  ///< the server that answered, as configured; lives as long as the nodes
};

using ExchangeResult = tl::expected<Response, UpstreamError>;

/// Of an exchange that each step's own limit bounds, as those of a relayed request do.
inline constexpr auto kNoDeadline = std::chrono::steady_clock::time_point::max();

/// One per I/O thread, used only there. A seam: flow's tests put a fake here.
class Client {
 public:
  virtual ~Client() = default;

  /// Sends and waits for the whole response. Connecting takes upstream.connect_timeout at each node, the
  /// response's head upstream.response_timeout from the time when the request is sent, and so do two reads of
  /// its body; nothing goes on after `deadline`. Cancelling the coroutine closes the connection; then the
  /// result says `cut_off`.
  [[nodiscard]] virtual http::Awaitable<ExchangeResult> exchange(
      Request request, std::chrono::steady_clock::time_point deadline) = 0;
};

}  // namespace qrerank::proxy::upstream
