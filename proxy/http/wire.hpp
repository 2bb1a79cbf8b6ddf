// One TCP connection, plain or encrypted, with its two time limits: reads and writes that end with a value,
// never with an exception. What is encrypted goes through wire_tls.cpp, plain bytes never touch it.
#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <span>

#include "proxy/http/async.hpp"
#include "proxy/http/deadline.hpp"
#include "proxy/tls/channel.hpp"

namespace qrerank::proxy::http {

using ErrorCode = boost::system::error_code;
using Socket = asio::basic_stream_socket<asio::ip::tcp, Executor>;

struct ReadResult {
  /// asio::error::eof at the end, asio::error::timed_out when the limit passed; with TLS an end without
  /// close_notify is no eof (tls::is_truncation): somebody may have cut the rest off.
  ErrorCode error;
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

  /// From here on everything is encrypted: takes the handshake. `channel` is of socket(). After an error only
  /// channel() and what closes may be used.
  [[nodiscard]] Awaitable<ErrorCode> start_tls(std::unique_ptr<tls::Channel> channel, Clock::duration limit);
  /// Null on a plain connection.
  [[nodiscard]] const tls::Channel* channel() const { return channel_.get(); }
  /// What is read and written from here on is plain again: to tell a client whose handshake failed.
  void stop_tls() { channel_.reset(); }

  /// Reads what there is, at least a byte.
  [[nodiscard]] Awaitable<ReadResult> read(char* to, std::size_t size, Clock::duration limit);

  /// The two halves of read(), for an owner that holds no buffer while it waits. would_block: nothing is
  /// there.
  [[nodiscard]] ReadResult try_read(char* to, std::size_t size);
  /// Until a byte, an end or an error is there; only after try_read() found nothing.
  [[nodiscard]] Awaitable<ErrorCode> readable(Clock::duration limit);

  /// Returns behind everything that is ready now: what comes in the meantime is there without a wait. An
  /// error only when cancel() came meanwhile, which would be lost otherwise.
  [[nodiscard]] Awaitable<ErrorCode> let_others();

  /// Moves the limit of the read that waits now, if one does.
  void limit_read(Clock::duration limit);

  /// Writes everything; `limit` is the longest wait for the peer to take some. The span's buffers are used
  /// up.
  [[nodiscard]] Awaitable<ErrorCode> write(std::span<asio::const_buffer> buffers, Clock::duration limit);

  /// Tells the peer that no more comes; reading goes on. Waits at most `limit`, and only with TLS.
  [[nodiscard]] Awaitable<void> shutdown_send(Clock::duration limit);

  /// Waits behind the peer's end for its reset: true when one came, false after cancel() and when nothing is
  /// left to be reset.
  [[nodiscard]] Awaitable<bool> breaks();

  /// Waits until the peer's side has taken what was written: a reset would throw it away. Not longer than
  /// `limit` without any progress, nor after a break.
  [[nodiscard]] Awaitable<void> delivered(Clock::duration limit);

  /// Is the peer silent and still there? For a connection that nobody reads from: false after EOF, an error
  /// or bytes.
  [[nodiscard]] bool quiet();

  /// Has the peer torn the connection down? An end of its sending is none, nor is a close() of a peer that
  /// has read everything: nothing tells them apart until it is sent something.
  [[nodiscard]] bool torn_down();

  /// Ends what waits (with operation_aborted).
  void cancel();
  void close();
  /// Closes so that the peer sees an error and not an end.
  void reset();
  /// Closes a connection on which all that was begun is done. With TLS the peer is told, as far as it can be
  /// at once; close() and the destructor leave it with an error.
  void close_done();

  [[nodiscard]] Socket& socket() { return socket_; }

 private:
  [[nodiscard]] Awaitable<ErrorCode> write_encrypted(std::span<asio::const_buffer> buffers,
                                                     Clock::duration limit);
  [[nodiscard]] Awaitable<ErrorCode> wait(tls::Channel::Wait what, Deadline& limit);

  Socket socket_;
  std::unique_ptr<tls::Channel> channel_;
  int reads_in_a_row_ = 0;  // that did not wait
  unsigned cancels_ = 0;
  bool reading_ = false;
  Deadline read_limit_;
  Deadline write_limit_;
};

/// Takes `bytes` off the front of a span of buffers.
void drop(std::span<asio::const_buffer>& buffers, std::size_t bytes);

}  // namespace qrerank::proxy::http
