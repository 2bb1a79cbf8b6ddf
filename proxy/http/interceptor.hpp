// What a session asks about each request: relay it, or hold its body in memory and hand it over? Implemented
// by proxy/flow; the sessions know nothing of searches, and this header nothing of sockets.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "proxy/http/async.hpp"
#include "proxy/http/message.hpp"
#include "proxy/http/request_id.hpp"

namespace qrerank::proxy::upstream {
class Client;
}

namespace qrerank::proxy::trace {
class RequestTrace;
}

namespace qrerank::proxy::http {

class ByteShare;

/// What an interceptor knows of a head once it judged it. The session carries it to `handle` unread.
class Judgement {
 public:
  virtual ~Judgement() = default;
};

/// The answer to a request's head.
struct HeadVerdict {
  enum class Action {
    relay,   ///< stream it through as it came
    inspect  ///< read the whole body (up to `max_body` bytes as they came, still encoded), then `handle`
  };
  Action action = Action::relay;
  std::uint64_t max_body = 0;
  /// Added to the response when the request is relayed: at once, or because its body was larger than
  /// `max_body`. Never added to an answer of ours.
  std::vector<Field> headers_if_uninspected;
  /// What the request asks for, for the observer: a literal ("query/batch"), or empty for nothing special.
  std::string_view endpoint = {};
  std::unique_ptr<Judgement> judgement = {};  ///< comes back with the inspected request; may be null
};

/// A request whose body is held. Views in `head` live until `handle` returns.
struct InspectedRequest {
  const RequestHead& head;
  std::string body;                                ///< transfer coding removed, content coding still on
  upstream::Client& upstream;                      ///< of this I/O thread; only to be used on it
  std::chrono::steady_clock::time_point received;  ///< the head was complete
  const RequestId& id;                             ///< for log lines; lives until `handle` returns
  std::unique_ptr<Judgement> judgement = {};       ///< HeadVerdict::judgement
  trace::RequestTrace* trace = nullptr;            ///< null: not recorded; lives until `handle` returns
  ByteShare* share = nullptr;  ///< of the memory for what is held, for answers; lives until `handle` returns
};

/// Relay after all, streaming the response. What is empty goes as it came.
struct PassAsItCame {
  std::optional<std::string> target;
  std::optional<std::vector<Field>> fields;  ///< all of them; framing and hop-by-hop ones are ignored
  /// The request's body: give the inspected one back (moved), or another one.
  std::string body;
  std::vector<Field> response_headers;  ///< added to the response's own, in place of those so named
};

using Outcome = std::variant<Reply, PassAsItCame>;

/// Shared by all I/O threads: `judge` and `handle` are called concurrently.
class Interceptor {
 public:
  virtual ~Interceptor() = default;

  /// Quick, no I/O; called for every request. Must not throw for what a client sent.
  [[nodiscard]] virtual HeadVerdict judge(const RequestHead& head) = 0;

  /// Runs on the connection's I/O thread. While it runs the session reads the client's socket: when the
  /// client closes or resets it, the coroutine is cancelled (terminal): pending operations end with
  /// operation_aborted, locals are destroyed, and the outcome is dropped. A client that only shut down its
  /// sending side is taken for gone, for it cannot be told from one that closed. An exception becomes a 500.
  [[nodiscard]] virtual Awaitable<Outcome> handle(InspectedRequest request) = 0;
};

}  // namespace qrerank::proxy::http
