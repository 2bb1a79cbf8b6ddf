#include "proxy/http/tunnel.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <optional>

namespace qrerank::proxy::http {
namespace {

struct Side {
  Wire& wire;
  TunnelEnd broke;  // what it is when this side breaks
};

// Whatever was cut off must not look like an end: also that of a tunnel that a drain kills.
struct CutsOff {
  Wire& a;
  Wire& b;
  bool whole = false;
  ~CutsOff() {
    if (whole) return;
    a.reset();
    b.reset();
  }
};

// The longest wait, without any progress, for what was sent to one side before the other one broke.
constexpr std::chrono::seconds kLastBytes{10};

struct Activity {
  Clock::time_point last = Clock::now();
  std::optional<TunnelEnd> cut;
  int ended = 0;  // directions whose end was passed on

  // Goes on with the direction from the side that broke, too: what that side had sent is still to be read.
  [[nodiscard]] bool goes_on(const Side& from) const { return !cut || *cut == from.broke; }

  void fail(const ErrorCode& why, const Side& side) {
    if (!cut) cut = why == asio::error::timed_out ? TunnelEnd::idle : side.broke;
  }
};

// One direction. An end is passed on as a half-close; a failure ends both directions, one that comes behind
// an end too: a client that shut down its sending side and then goes must not keep the other side waiting.
Awaitable<void> pump(Side from, Buffer& buffer, Side to, Clock::duration limit, Activity& activity,
                     std::atomic<std::uint64_t>& sent) {
  while (activity.goes_on(from)) {
    if (!buffer.empty()) {
      asio::const_buffer piece(buffer.data(), buffer.size());
      const ErrorCode failed = co_await to.wire.write({&piece, 1}, limit);
      if (failed) {
        activity.fail(failed, to);
        if (activity.cut != to.broke) break;
        co_return;  // the other direction meets the break behind the last byte
      }
      sent.fetch_add(buffer.size(), std::memory_order_relaxed);
      buffer.consume(buffer.size());
    }
    const ReadResult got = co_await from.wire.read(buffer.tail(), buffer.tail_size(), limit);
    if (got.error == asio::error::eof && !activity.cut) {
      co_await to.wire.shutdown_send(limit);
      if (++activity.ended == 2) break;
      if (!co_await from.wire.breaks()) co_return;
      activity.fail(asio::error::connection_reset, from);
      break;
    }
    // Quiet in this direction only: the other one keeps the tunnel open.
    if (got.error == asio::error::timed_out && Clock::now() - activity.last < limit) continue;
    if (got.error) {
      activity.fail(got.error, from);
      break;
    }
    buffer.commit(got.bytes);
    activity.last = Clock::now();
  }
  from.wire.cancel();
  to.wire.cancel();
}

}  // namespace

Awaitable<TunnelEnd> run_tunnel(Wire& a, Buffer& from_a, Wire& b, Buffer& from_b, Clock::duration idle_limit,
                                TunnelTraffic& traffic) {
  using namespace asio::experimental::awaitable_operators;
  CutsOff otherwise{a, b};
  Activity activity;
  const Side one{a, TunnelEnd::a_broke};
  const Side other{b, TunnelEnd::b_broke};
  auto there = pump(one, from_a, other, idle_limit, activity, traffic.there);
  auto back = pump(other, from_b, one, idle_limit, activity, traffic.back);
  co_await (std::move(there) && std::move(back));
  // A reset throws away what is on its way: it waits behind that.
  const auto last = std::min<Clock::duration>(kLastBytes, idle_limit);
  if (activity.cut == TunnelEnd::a_broke) co_await b.delivered(last);
  if (activity.cut == TunnelEnd::b_broke) co_await a.delivered(last);
  otherwise.whole = !activity.cut;
  co_return activity.cut.value_or(TunnelEnd::whole);
}

}  // namespace qrerank::proxy::http
