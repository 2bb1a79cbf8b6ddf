// The encrypted half of Wire: waits for what a tls::Channel waits for. No OpenSSL here.
#include <boost/asio/error.hpp>

#include "proxy/http/wire.hpp"

namespace qrerank::proxy::http {

using tls::Channel;

Awaitable<ErrorCode> Wire::wait(Channel::Wait what, Deadline& limit) {
  const auto kind = what == Channel::Wait::readable ? Socket::wait_read : Socket::wait_write;
  const unsigned before = cancels_;
  auto [error] = co_await socket_.async_wait(kind, as_result);
  limit.disarm();
  // A cancel() that came when the wait was over already counts too: the caller may wait again.
  if (!error && cancels_ != before) error = asio::error::operation_aborted;
  if (error == asio::error::operation_aborted && limit.expired()) error = asio::error::timed_out;
  co_return error;
}

Awaitable<ErrorCode> Wire::start_tls(std::unique_ptr<Channel> channel, Clock::duration limit) {
  channel_ = std::move(channel);
  const Clock::time_point until = Clock::now() + limit;
  for (;;) {
    const Channel::Progress step = channel_->handshake();
    if (step.wait == Channel::Wait::none) co_return step.error;
    read_limit_.arm_at(until);
    const ErrorCode failed = co_await wait(step.wait, read_limit_);
    if (failed) co_return failed;
  }
}

Awaitable<ErrorCode> Wire::write_encrypted(std::span<asio::const_buffer> buffers, Clock::duration limit) {
  for (;;) {
    const Channel::Progress step = channel_->write(buffers);
    drop(buffers, step.bytes);
    if (step.error) co_return step.error;
    if (step.wait != Channel::Wait::none) {
      write_limit_.arm(limit);
      const ErrorCode failed = co_await wait(step.wait, write_limit_);
      if (failed) co_return failed;
    } else if (buffers.empty()) {
      co_return ErrorCode();
    }
  }
}

}  // namespace qrerank::proxy::http
