#include "proxy/http/tunnel.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

namespace qrerank::proxy::http {
namespace {

struct Activity {
  Clock::time_point last = Clock::now();
  bool over = false;
};

// One direction. An end is passed on as a half-close; a failure ends both directions.
Awaitable<std::uint64_t> pump(Wire& from, Buffer& buffer, Wire& to, Clock::duration limit,
                              Activity& activity) {
  std::uint64_t sent = 0;
  while (!activity.over) {
    if (!buffer.empty()) {
      asio::const_buffer piece(buffer.data(), buffer.size());
      const ErrorCode failed = co_await to.write({&piece, 1}, limit);
      if (failed) break;
      sent += buffer.size();
      buffer.consume(buffer.size());
    }
    const ReadResult got = co_await from.read(buffer.tail(), buffer.tail_size(), limit);
    if (got.error == asio::error::eof) {
      co_await to.shutdown_send(limit);
      co_return sent;
    }
    // Quiet in this direction only: the other one keeps the tunnel open.
    if (got.error == asio::error::timed_out && Clock::now() - activity.last < limit) continue;
    if (got.error) break;
    buffer.commit(got.bytes);
    activity.last = Clock::now();
  }
  activity.over = true;
  from.cancel();
  to.cancel();
  co_return sent;
}

}  // namespace

Awaitable<std::uint64_t> run_tunnel(Wire& a, Buffer& from_a, Wire& b, Buffer& from_b,
                                    Clock::duration idle_limit) {
  using namespace asio::experimental::awaitable_operators;
  Activity activity;
  auto there = pump(a, from_a, b, idle_limit, activity);
  auto back = pump(b, from_b, a, idle_limit, activity);
  const auto [sent_there, sent_back] = co_await (std::move(there) && std::move(back));
  static_cast<void>(sent_there);
  co_return sent_back;
}

}  // namespace qrerank::proxy::http
