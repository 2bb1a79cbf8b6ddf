#include "proxy/http/tunnel.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

namespace qrerank::proxy::http {
namespace {

struct Activity {
  Clock::time_point last = Clock::now();
  bool over = false;
  int ended = 0;  // directions whose end was passed on
};

// One direction. An end is passed on as a half-close; a failure ends both directions, one that comes behind
// an end too: a client that shut down its sending side and then goes must not keep the other side waiting.
Awaitable<void> pump(Wire& from, Buffer& buffer, Wire& to, Clock::duration limit, Activity& activity,
                     std::atomic<std::uint64_t>& sent) {
  while (!activity.over) {
    if (!buffer.empty()) {
      asio::const_buffer piece(buffer.data(), buffer.size());
      const ErrorCode failed = co_await to.write({&piece, 1}, limit);
      if (failed) break;
      sent.fetch_add(buffer.size(), std::memory_order_relaxed);
      buffer.consume(buffer.size());
    }
    const ReadResult got = co_await from.read(buffer.tail(), buffer.tail_size(), limit);
    if (got.error == asio::error::eof) {
      co_await to.shutdown_send(limit);
      if (++activity.ended < 2 && !co_await from.breaks()) co_return;
      break;
    }
    // Quiet in this direction only: the other one keeps the tunnel open.
    if (got.error == asio::error::timed_out && Clock::now() - activity.last < limit) continue;
    if (got.error) break;
    buffer.commit(got.bytes);
    activity.last = Clock::now();
  }
  activity.over = activity.ended < 2;
  from.cancel();
  to.cancel();
}

}  // namespace

Awaitable<bool> run_tunnel(Wire& a, Buffer& from_a, Wire& b, Buffer& from_b, Clock::duration idle_limit,
                           TunnelTraffic& traffic) {
  using namespace asio::experimental::awaitable_operators;
  Activity activity;
  auto there = pump(a, from_a, b, idle_limit, activity, traffic.there);
  auto back = pump(b, from_b, a, idle_limit, activity, traffic.back);
  co_await (std::move(there) && std::move(back));
  co_return !activity.over;
}

}  // namespace qrerank::proxy::http
