#include "proxy/http/wire.hpp"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <limits>

namespace qrerank::proxy::http {
namespace {

// A peer that sends as fast as we read must not keep the thread from its other connections.
constexpr int kReadsInARow = 16;
// A head with a short body is cheaper copied than described to the kernel piece by piece.
constexpr std::size_t kWorthCopying = 1024;
// What the kernel still has to send is looked at so often.
constexpr std::chrono::milliseconds kLookAtQueue{20};

std::size_t write_now(Socket& socket, std::span<const asio::const_buffer> buffers, ErrorCode& error) {
  if (buffers.size() == 1) return socket.write_some(buffers.front(), error);
  if (asio::buffer_size(buffers) > kWorthCopying) return socket.write_some(buffers, error);
  std::array<char, kWorthCopying> together;
  return socket.write_some(asio::buffer(together, asio::buffer_copy(asio::buffer(together), buffers)), error);
}

}  // namespace

void drop(std::span<asio::const_buffer>& buffers, std::size_t bytes) {
  while (!buffers.empty() && bytes >= buffers.front().size()) {
    bytes -= buffers.front().size();
    buffers = buffers.subspan(1);
  }
  if (!buffers.empty()) buffers.front() += bytes;
}

Wire::Wire(Socket socket, Deadlines& deadlines)
    : socket_(std::move(socket)),
      read_limit_(deadlines, [this] { cancel(); }),
      write_limit_(deadlines, [this] { cancel(); }) {}

void Wire::prepare() {
  ErrorCode ignored;  // a socket that died meanwhile says so at its first read
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

ReadResult Wire::try_read(char* to, std::size_t size) {
  if (channel_) {
    const tls::Channel::Progress step = channel_->read(to, size);
    if (step.wait != tls::Channel::Wait::none) return {asio::error::would_block, 0};
    return {step.error, step.bytes};
  }
  ErrorCode error;
  const std::size_t bytes = socket_.read_some(asio::buffer(to, size), error);
  return {error, bytes};
}

Awaitable<ReadResult> Wire::read(char* to, std::size_t size, Clock::duration limit) {
  for (;;) {
    const ReadResult got = try_read(to, size);
    if (got.error != asio::error::would_block) {
      if (++reads_in_a_row_ < kReadsInARow) co_return got;
      const ErrorCode cancelled = co_await let_others();
      if (cancelled) co_return ReadResult{cancelled, 0};
      co_return got;
    }
    const ErrorCode failed = co_await readable(limit);
    if (failed) co_return ReadResult{failed, 0};
  }
}

Awaitable<ErrorCode> Wire::readable(Clock::duration limit) {
  reads_in_a_row_ = 0;
  read_limit_.arm(limit);
  reading_ = true;
  const ErrorCode failed = co_await wait(tls::Channel::Wait::readable, read_limit_);
  reading_ = false;
  co_return failed;
}

Awaitable<ErrorCode> Wire::let_others() {
  reads_in_a_row_ = 0;
  const unsigned before = cancels_;
  co_await asio::post(socket_.get_executor(), use_awaitable);
  ErrorCode cancelled;
  if (cancels_ != before) cancelled = asio::error::operation_aborted;
  co_return cancelled;
}

void Wire::limit_read(Clock::duration limit) {
  if (reading_) read_limit_.arm(limit);
}

Awaitable<ErrorCode> Wire::write(std::span<asio::const_buffer> buffers, Clock::duration limit) {
  if (channel_) co_return co_await write_encrypted(buffers, limit);
  ErrorCode error;
  while (!buffers.empty()) {
    // Nearly always the kernel takes all of it at once: no trip through the event loop then.
    std::size_t sent = write_now(socket_, buffers, error);
    if (error == asio::error::would_block) {
      write_limit_.arm(limit);
      auto [failed, bytes] = co_await socket_.async_write_some(buffers, as_result);
      write_limit_.disarm();
      error = failed;
      sent = bytes;
      if (error == asio::error::operation_aborted && write_limit_.expired()) error = asio::error::timed_out;
    }
    if (error) co_return error;
    drop(buffers, sent);
  }
  co_return error;
}

Awaitable<bool> Wire::breaks() {
  const unsigned before = cancels_;
  auto [cancelled] = co_await socket_.async_wait(Socket::wait_error, as_result);
  if (cancelled || cancels_ != before) co_return false;
  int error = 0;
  socklen_t size = sizeof error;
  const bool told = ::getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &error, &size) == 0;
  co_return told&& error != 0;
}

Awaitable<void> Wire::delivered(Clock::duration limit) {
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> pause(socket_.get_executor());
  int fewest = std::numeric_limits<int>::max();
  Clock::time_point until;
  for (int left = 0; ::ioctl(socket_.native_handle(), SIOCOUTQ, &left) == 0 && left > 0;) {
    if (left < fewest) until = Clock::now() + limit;
    fewest = std::min(fewest, left);
    if (Clock::now() >= until) co_return;
    pause.expires_after(kLookAtQueue);  // the kernel tells of room, but not of emptiness
    auto [cancelled] = co_await pause.async_wait(as_result);
    if (cancelled) co_return;
  }
}

bool Wire::quiet() {
  if (channel_) return channel_->quiet();
  char byte = 0;
  const ssize_t got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
}

bool Wire::torn_down() {
  pollfd state{.fd = socket_.native_handle(), .events = 0, .revents = 0};
  return ::poll(&state, 1, 0) == 1 && (state.revents & (POLLERR | POLLHUP)) != 0;
}

void Wire::cancel() {
  ++cancels_;
  ErrorCode ignored;  // nothing was waiting, or the socket is closed already
  socket_.cancel(ignored);
}

void Wire::close() {
  if (channel_) channel_->socket_closed();
  ErrorCode ignored;  // the descriptor is gone either way
  socket_.close(ignored);
}

void Wire::reset() {
  ErrorCode ignored;  // then it is an ordinary close
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  close();
}

Awaitable<void> Wire::shutdown_send(Clock::duration limit) {
  if (channel_) {
    tls::Channel::Progress told = channel_->end_sending();
    while (told.wait != tls::Channel::Wait::none) {
      write_limit_.arm(limit);
      const ErrorCode late = co_await wait(told.wait, write_limit_);
      if (late) break;
      told = channel_->end_sending();
    }
  }
  ErrorCode ignored;  // the peer may have gone first
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void Wire::close_done() {
  if (channel_) static_cast<void>(channel_->end_sending());
  close();
}

}  // namespace qrerank::proxy::http
