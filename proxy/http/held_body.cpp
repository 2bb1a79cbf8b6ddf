#include "proxy/http/held_body.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>

namespace qrerank::proxy::http {
namespace {

constexpr std::size_t kReadBytes = 64 * 1024;

}  // namespace

Awaitable<HeldBody> hold_body(Wire& client, Buffer& buffer, BodyReader& body, const Holding& how,
                              ByteShare& share) {
  HeldBody held;
  const MessageFacts& facts = how.facts;
  const auto too_large = [&held](Limit limit) {
    held.state = HeldBody::State::too_large;
    held.limit = limit;
  };
  // What a client announces costs it nothing: only what has arrived takes memory and counts as taken.
  if (facts.framing == Framing::length)
    held.body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(facts.length, kReadBytes)));
  for (;;) {
    const BodyReader::Step step = body.take(buffer);
    if (step.state == BodyReader::State::malformed) {
      held.state = HeldBody::State::refused;
      held.why = "malformed chunk";
      co_return held;
    }
    held.body.append(step.data);
    buffer.consume(step.consumed);
    const bool over = held.body.size() > how.max_body;
    if (over || !share.grow_to(held.body.size())) {
      too_large(over ? Limit::max_inspect_body : Limit::max_inspect_memory);
      co_return held;
    }
    if (body.done()) {
      held.state = HeldBody::State::whole;
      co_return held;
    }
    if (facts.expect_continue && how.client_version >= 11 && !held.continue_sent && held.body.empty()) {
      asio::const_buffer line = asio::buffer("HTTP/1.1 100 Continue\r\n\r\n", 25);
      const ErrorCode failed = co_await client.write({&line, 1}, how.body_timeout);
      if (failed) co_return held;
      held.continue_sent = true;
    }
    buffer.make_room(kReadBytes);
    if (buffer.tail_size() == 0) {
      held.state = HeldBody::State::refused;
      held.why = "a chunk's size line or trailers are too large";
      co_return held;
    }
    const ReadResult got = co_await client.read(buffer.tail(), buffer.tail_size(), how.body_timeout);
    if (got.error == asio::error::timed_out) {
      held.state = HeldBody::State::refused;
      held.status = 408;
      held.limit = Limit::body_timeout;
      held.why = "the request body did not arrive in time";
      co_return held;
    }
    if (got.error || how.whole.expired()) co_return held;
    buffer.commit(got.bytes);
  }
}

}  // namespace qrerank::proxy::http
