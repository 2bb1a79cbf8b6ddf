#include "proxy/http/wire.hpp"

#include <sys/socket.h>

#include <boost/asio/write.hpp>
#include <cerrno>

namespace qrerank::proxy::http {

Wire::Wire(Socket socket, Deadlines& deadlines)
    : socket_(std::move(socket)),
      read_limit_(deadlines, [this] { cancel(); }),
      write_limit_(deadlines, [this] { cancel(); }) {}

void Wire::prepare() {
  ErrorCode ignored;  // a socket that died meanwhile says so at its first read
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

Awaitable<ReadResult> Wire::read(char* to, std::size_t size, Clock::duration limit) {
  read_limit_.arm(limit);
  reading_ = true;
  auto [error, bytes] = co_await socket_.async_read_some(asio::buffer(to, size), as_result);
  reading_ = false;
  read_limit_.disarm();
  if (error == asio::error::operation_aborted && read_limit_.expired()) error = asio::error::timed_out;
  co_return ReadResult{error, bytes};
}

void Wire::limit_read(Clock::duration limit) {
  if (reading_) read_limit_.arm(limit);
}

Awaitable<ErrorCode> Wire::write(std::span<asio::const_buffer> buffers, Clock::duration limit) {
  ErrorCode error;
  while (!buffers.empty()) {
    // Nearly always the kernel takes all of it at once: no trip through the event loop then.
    std::size_t sent = socket_.write_some(buffers, error);
    if (error == asio::error::would_block) {
      write_limit_.arm(limit);
      auto [failed, bytes] = co_await socket_.async_write_some(buffers, as_result);
      write_limit_.disarm();
      error = failed;
      sent = bytes;
      if (error == asio::error::operation_aborted && write_limit_.expired()) error = asio::error::timed_out;
    }
    if (error) co_return error;
    while (!buffers.empty() && sent >= buffers.front().size()) {
      sent -= buffers.front().size();
      buffers = buffers.subspan(1);
    }
    if (!buffers.empty()) buffers.front() += sent;
  }
  co_return error;
}

bool Wire::quiet() {
  char byte = 0;
  const ssize_t got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

void Wire::cancel() {
  ErrorCode ignored;  // nothing was waiting, or the socket is closed already
  socket_.cancel(ignored);
}

void Wire::close() {
  ErrorCode ignored;  // the descriptor is gone either way
  socket_.close(ignored);
}

void Wire::reset() {
  ErrorCode ignored;  // then it is an ordinary close
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  close();
}

void Wire::shutdown_send() {
  ErrorCode ignored;  // the peer may have gone first
  socket_.shutdown(Socket::shutdown_send, ignored);
}

}  // namespace qrerank::proxy::http
