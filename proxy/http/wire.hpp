// One TCP connection with its two time limits: reads and writes that end with a value, never with an
// exception. This is where TLS would be put in.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <span>

#include "proxy/http/async.hpp"
#include "proxy/http/deadline.hpp"

namespace qrerank::proxy::http {

using ErrorCode = boost::system::error_code;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

struct ReadResult {
  ErrorCode error;  ///< asio::error::eof at the end, asio::error::timed_out when the limit passed
  std::size_t bytes = 0;
};

class Wire {
 public:
  /// `socket` is open (or will be opened through socket()); it is made non-blocking by prepare().
  Wire(Socket socket, Deadlines& deadlines);
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  /// After the connection is there: non-blocking, TCP_NODELAY.
  void prepare();

  /// Reads what there is, at least a byte.
  [[nodiscard]] Awaitable<ReadResult> read(char* to, std::size_t size, Clock::duration limit);

  /// Moves the limit of the read that waits now, if one does.
  void limit_read(Clock::duration limit);

  /// Writes everything; `limit` is the longest wait for the peer to take some. The span's buffers are used
  /// up.
  [[nodiscard]] Awaitable<ErrorCode> write(std::span<asio::const_buffer> buffers, Clock::duration limit);

  /// Is the peer silent and still there? For a connection that nobody reads from: false after EOF, an error
  /// or bytes.
  [[nodiscard]] bool quiet();

  /// Ends what waits (with operation_aborted).
  void cancel();
  void close();
  /// Closes so that the peer sees an error and not an end.
  void reset();
  void shutdown_send();

  [[nodiscard]] Socket& socket() { return socket_; }

 private:
  Socket socket_;
  bool reading_ = false;
  Deadline read_limit_;
  Deadline write_limit_;
};

}  // namespace qrerank::proxy::http
