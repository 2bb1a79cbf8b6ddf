#include "proxy/upstream/pooled_client.hpp"

#include <algorithm>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/this_coro.hpp>

#include "proxy/http/body.hpp"
#include "proxy/http/head_writer.hpp"
#include "proxy/http/places.hpp"
#include "proxy/upstream/response_head.hpp"

namespace qrerank::proxy::upstream {
namespace {

using http::Clock;

Response copy_of(const http::ResponseHead& head) {
  Response response;
  response.status = head.status;
  response.reason = head.reason;
  const auto names = http::connection_names(head.fields);
  for (const http::FieldView& field : head.fields) {
    const http::FieldKind kind = http::kind_of(field.name);
    if (kind == http::FieldKind::content_length || kind == http::FieldKind::transfer_encoding) continue;
    if (http::is_hop_by_hop(kind, field.name, names)) continue;
    response.fields.push_back({std::string(field.name), std::string(field.value)});
  }
  return response;
}

}  // namespace

http::Awaitable<ExchangeResult> PooledClient::exchange(Request request, Clock::time_point deadline) {
  const auto fields = http::views_of(request.fields);
  std::string head;
  http::append_held_request(head, request.method, request.target, fields, request.body.size());
  Visit visit;
  Lease lease = pool_.take_idle(visit);
  for (;;) {
    if (!lease) {
      LeaseResult fresh = co_await pool_.connect(visit, deadline);
      if (!fresh) co_return tl::unexpected(std::move(fresh.error()));
      lease = std::move(*fresh);
    }
    bool clean = false;
    ExchangeResult result = co_await exchange_on(*lease, request, head, deadline, clean);
    if (result) {
      pool_.passed(*lease);
      if (clean) lease.keep();
      co_return result;
    }
    // Cancelled, it was not the node that ended it.
    const auto state = co_await http::asio::this_coro::cancellation_state;
    if (state.cancelled() != http::asio::cancellation_type::none) co_return result;
    pool_.failed(*lease, result.error());
    const bool repeatable =
        request.replayable && !lease->answered && result.error().kind == UpstreamErrorKind::cut_off;
    if (!repeatable || !pool_.try_again(visit, *lease)) co_return result;
    lease.end();  // other idle connections may be stale too: the second try gets a new one
  }
}

http::Awaitable<ExchangeResult> PooledClient::exchange_on(Connection& connection, const Request& request,
                                                          const std::string& head, Clock::time_point deadline,
                                                          bool& clean) {
  const Clock::duration step = pool_.config().response_timeout;
  const auto left = [&] { return std::min<Clock::duration>(deadline - Clock::now(), step); };
  http::asio::const_buffer pieces[2] = {http::asio::buffer(head), http::asio::buffer(request.body)};
  const http::ErrorCode failed = co_await connection.wire.write(pieces, left());
  // A refusal may be on its way although the body was not taken; without one this is the reason.
  if (failed == http::asio::error::timed_out) {
    co_return tl::unexpected(describe(connection, failed, "sending the request"));
  }

  http::ResponseHead response_head;
  ReceivedHead received;
  const Clock::time_point until = Clock::now() + left();
  do {
    connection.buffer.consume(received.size);
    auto next = co_await read_response_head(connection, request.method == "HEAD", until, response_head);
    if (!next) co_return tl::unexpected(std::move(next.error()));
    received = *next;
    if (response_head.status == 101) {
      UpstreamError why{UpstreamErrorKind::malformed,
                        "upstream " + connection.name() + ": switched protocols unasked"};
      co_return tl::unexpected(std::move(why));
    }
  } while (response_head.status / 100 == 1);

  Response response = copy_of(response_head);
  response.upstream = connection.name();
  connection.buffer.consume(received.size);
  const std::uint64_t max_body = pool_.config().max_response_body;
  const auto too_large = [&] {
    return tl::unexpected(UpstreamError{
        UpstreamErrorKind::too_large,
        "upstream " + connection.name() + ": response body over " + std::to_string(max_body) + " bytes"});
  };
  if (received.facts.framing == http::Framing::length) {
    if (received.facts.length > max_body) co_return too_large();
    response.body.reserve(static_cast<std::size_t>(received.facts.length));
  }
  http::BodyReader body(received.facts);
  while (!body.done()) {
    const http::BodyReader::Step step_taken = body.take(connection.buffer);
    if (step_taken.state == http::BodyReader::State::malformed) {
      UpstreamError why{UpstreamErrorKind::malformed, "upstream " + connection.name() + ": malformed chunk"};
      co_return tl::unexpected(std::move(why));
    }
    if (response.body.size() + step_taken.data.size() > max_body) co_return too_large();
    if (request.share != nullptr && !request.share->add(step_taken.data.size())) {
      co_return tl::unexpected(
          UpstreamError{UpstreamErrorKind::too_large, "upstream " + connection.name() +
                                                          ": no room in proxy.max_inspect_memory for the "
                                                          "response body"});
    }
    response.body.append(step_taken.data);
    connection.buffer.consume(step_taken.consumed);
    if (body.done()) break;
    connection.buffer.make_room(connection.buffer.capacity());
    if (connection.buffer.tail_size() == 0) {
      UpstreamError why{UpstreamErrorKind::malformed,
                        "upstream " + connection.name() + ": chunk header too large"};
      co_return tl::unexpected(std::move(why));
    }
    const http::ReadResult got =
        co_await connection.wire.read(connection.buffer.tail(), connection.buffer.tail_size(), left());
    if (got.error == http::asio::error::eof && body.framing() == http::Framing::until_close) {
      body.finish();
    } else if (got.error) {
      co_return tl::unexpected(describe(connection, got.error, "reading the response"));
    }
    connection.buffer.commit(got.bytes);
  }
  clean = received.facts.keep_alive && !failed;
  co_return response;
}

}  // namespace qrerank::proxy::upstream
