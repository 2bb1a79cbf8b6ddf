#include "proxy/http/relay.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "proxy/http/forwarding.hpp"
#include "proxy/http/head_writer.hpp"
#include "proxy/http/tunnel.hpp"

namespace qrerank::proxy::http {

using upstream::Connection;
using upstream::UpstreamError;
using upstream::UpstreamErrorKind;

namespace {

// Of each direction of a streamed body; what is not streamed stays in its connection's own, smaller buffer.
constexpr std::size_t kStreamBytes = 64 * 1024;
// A held body up to this is sent before the response is read: it fits into the kernel's buffers.
constexpr std::size_t kSendAtOnce = 64 * 1024;
// No limit on the response while the request is still going out: its own limits end it.
constexpr Clock::duration kWhileUploading = kNoLimit;
// A client that waits for its answer is looked at this often.
constexpr std::chrono::seconds kLookAtClient{1};

std::string_view why_cut(TunnelEnd end) {
  switch (end) {
    case TunnelEnd::whole:
      break;
    case TunnelEnd::idle:
      return "nothing went through the tunnel for proxy.idle_timeout";
    case TunnelEnd::a_broke:
      return "the client cut the tunnel off";
    case TunnelEnd::b_broke:
      return "the upstream cut the tunnel off";
  }
  return {};
}

}  // namespace

Awaitable<RelayResult> Relay::run(const RelayRequest& request) {
  upstream::Visit visit;
  upstream::Lease lease = pool_.take_idle(visit);
  for (;;) {
    if (!lease) {
      upstream::LeaseResult fresh = co_await pool_.connect(visit);
      if (!fresh) {
        fail(std::move(fresh.error()));
        break;
      }
      lease = std::move(*fresh);
    }
    if (aborted_) break;  // while the connection was made
    up_ = &*lease;
    result_.upstream = up_->name();
    co_await attempt(lease, request);
    client_watch_.disarm();
    up_ = nullptr;
    if (!note_outcome(*lease)) break;
    const bool repeatable =
        request.replayable && !lease->answered && result_.error->kind == UpstreamErrorKind::cut_off;
    if (!repeatable || !pool_.try_again(visit, *lease)) break;
    lease.end();  // other idle connections may be stale too: the second try gets a new one
    result_ = RelayResult{};
  }
  if (lease && clean_) lease.keep();
  co_return std::move(result_);
}

// Tells the pool; true when the upstream failed, and not the client or our own limit.
bool Relay::note_outcome(const Connection& up) {
  if (aborted_ || result_.fault != ClientFault::none) return false;
  if (result_.error) {
    pool_.failed(up, *result_.error);
    return true;
  }
  pool_.passed(up);
  return false;
}

Awaitable<void> Relay::attempt(upstream::Lease& lease, const RelayRequest& request) {
  using namespace asio::experimental::awaitable_operators;
  Connection& up = *lease;
  uploaded_ = uploading_ = given_up_ = response_over_ = clean_ = false;

  OutgoingBody first(request.chunked);
  BodyReader::Step step;
  first.add_raw(request.head);
  if (request.held.size() <= kSendAtOnce) {
    first.add(request.held);
    step = request.rest->take(client_buffer_);
    if (step.state == BodyReader::State::malformed) {
      result_.fault = ClientFault::malformed;
      co_return;
    }
    first.add(step.data);
    if (request.rest->done()) first.add_end(request.rest->trailers());
    uploaded_ = request.rest->done();
  }
  const ErrorCode failed = co_await up.wire.write(first.buffers(), pool_.config().response_timeout);
  client_buffer_.consume(step.consumed);
  if (failed == asio::error::timed_out) {
    fail(describe(up, failed, "sending the request"));
    co_return;
  }
  // Another failure waits: the upstream may have answered before it closed, and that answer is the better
  // one.
  if (failed) uploaded_ = false;

  if (uploaded_ || failed) {
    response_until_ = Clock::now() + pool_.config().response_timeout;
    client_watch_.arm(kLookAtClient);
    co_await receive(up, request);
  } else {
    response_until_ = Clock::now() + kWhileUploading;
    uploading_ = true;
    auto sending = upload(up, request);
    auto receiving = download(up, request);
    co_await (std::move(sending) && std::move(receiving));
  }
}

Awaitable<void> Relay::upload(Connection& up, const RelayRequest& request) {
  co_await send_body(up, request);
  uploading_ = false;
  given_up_ = aborted_ || result_.fault != ClientFault::none || result_.error;
  if (given_up_) {
    up.wire.cancel();
    client_.cancel();
  } else if (!response_over_) {
    response_until_ = Clock::now() + pool_.config().response_timeout;
    up.wire.limit_read(pool_.config().response_timeout);
    client_watch_.arm(kLookAtClient);
  }
}

Awaitable<void> Relay::send_body(Connection& up, const RelayRequest& request) {
  if (request.held.size() > kSendAtOnce) {
    OutgoingBody piece(request.chunked);
    piece.add(request.held);
    if (request.rest->done()) piece.add_end(request.rest->trailers());
    if (!co_await send_piece(up, piece)) co_return;
  }
  while (!request.rest->done()) {
    const BodyReader::Step step = request.rest->take(client_buffer_);
    if (step.state == BodyReader::State::malformed) {
      result_.fault = ClientFault::malformed;
      co_return;
    }
    OutgoingBody piece(request.chunked);
    piece.add(step.data);
    if (request.rest->done()) piece.add_end(request.rest->trailers());
    if (!piece.empty() && !co_await send_piece(up, piece)) co_return;
    client_buffer_.consume(step.consumed);
    if (request.rest->done()) break;

    client_buffer_.make_room(kStreamBytes);
    if (client_buffer_.tail_size() == 0) {  // a chunk's size line or trailers of 64 KiB
      result_.fault = ClientFault::malformed;
      co_return;
    }
    const ReadResult got =
        co_await client_.read(client_buffer_.tail(), client_buffer_.tail_size(), config_.body_timeout);
    if (response_over_ || aborted_) co_return;
    if (got.error) {
      result_.fault = got.error == asio::error::timed_out ? ClientFault::timeout : ClientFault::gone;
      co_return;
    }
    client_buffer_.commit(got.bytes);
  }
  uploaded_ = true;
}

// False when the upload is over: the upstream closed (its answer may still come), stalled, or has answered.
Awaitable<bool> Relay::send_piece(Connection& up, OutgoingBody& piece) {
  const ErrorCode failed = co_await up.wire.write(piece.buffers(), pool_.config().response_timeout);
  // The time limit ended the wait for the response too, as cut off: this is the real reason.
  if (failed == asio::error::timed_out && result_.status == 0)
    fail(describe(up, failed, "sending the request"));
  co_return !failed && !response_over_ && !aborted_;
}

Awaitable<void> Relay::download(Connection& up, const RelayRequest& request) {
  // With TLS the upload may have come to its end without ever waiting.
  if (!given_up_) co_await receive(up, request);
  response_over_ = true;
  if (uploading_) {
    client_.cancel();
    up.wire.cancel();
  }
}

Awaitable<void> Relay::receive(Connection& up, const RelayRequest& request) {
  ResponseHead head;
  for (;;) {
    auto received = co_await read_response_head(up, request.to_head, response_until_, head);
    if (!received) {
      if (!result_.error) fail(std::move(received.error()));
      co_return;
    }
    if (head.status == 101) {
      // Until the request's last byte is sent, what goes up is still HTTP (RFC 9110 §7.8).
      if (request.upgrade && uploaded_) {
        co_await tunnel(up, request, head, received->size);
      } else {
        const std::string_view why = request.upgrade ? ": switched protocols before the request's end"
                                                     : ": switched protocols unasked";
        fail({UpstreamErrorKind::malformed, "upstream " + up.name() + std::string(why)});
      }
      co_return;
    }
    if (head.status / 100 != 1) {
      co_await stream_response(up, request, head, *received);
      co_return;
    }
    if (request.client_version >= 11) {
      out_head_.clear();
      append_relayed_response(out_head_, head, {.drop_length = true});
      OutgoingBody piece(false);
      piece.add_raw(out_head_);
      const bool sent = co_await to_client(piece);
      if (!sent) co_return;
    }
    up.buffer.consume(received->size);
  }
}

Awaitable<void> Relay::stream_response(Connection& up, const RelayRequest& request, const ResponseHead& head,
                                       const upstream::ReceivedHead& received) {
  BodyReader body(received.facts);
  const Framing framing = received.facts.framing;
  const bool can_chunk = request.client_version >= 11;
  const bool by_close = framing == Framing::until_close || (framing == Framing::chunked && !can_chunk);
  // A request that is still arriving may never be read to its end: its connection cannot be used again.
  bool keep_alive = request.client_keep_alive && !draining_ && uploaded_ && !by_close;

  ResponseStyle style;
  style.close = !keep_alive;
  style.keep_alive_10 = request.client_version < 11;
  style.drop_coding = !can_chunk;
  style.drop_length = head.status == 204;
  if (config_.via) style.via = kViaName;
  style.request_id = request.request_id;
  if (head.status < 300) style.added = request.response_headers;  // nothing is added to an error of Qdrant's
  out_head_.clear();
  append_relayed_response(out_head_, head, style);
  up.buffer.consume(received.size);

  std::string_view before = out_head_;
  for (;;) {
    const BodyReader::Step step = body.take(up.buffer);
    if (step.state == BodyReader::State::malformed) {
      fail({UpstreamErrorKind::malformed, "upstream " + up.name() + ": malformed chunk"});
      co_return;
    }
    OutgoingBody piece(framing == Framing::chunked && can_chunk);
    piece.add_raw(before);
    piece.add(step.data);
    if (body.done()) piece.add_end(body.trailers());
    if (!piece.empty()) {
      if (!before.empty()) result_.status = head.status;
      const bool sent = co_await to_client(piece);
      if (!sent) co_return;
      before = {};
      result_.response_bytes += step.data.size();
    }
    up.buffer.consume(step.consumed);
    if (body.done()) break;

    up.buffer.make_room(kStreamBytes);
    if (up.buffer.tail_size() == 0) {
      fail({UpstreamErrorKind::malformed, "upstream " + up.name() + ": chunk header too large"});
      co_return;
    }
    const ReadResult got =
        co_await up.wire.read(up.buffer.tail(), up.buffer.tail_size(), pool_.config().response_timeout);
    if (got.error == asio::error::eof && framing == Framing::until_close) {
      body.finish();
      break;
    }
    if (got.error || aborted_) {
      const ErrorCode why = aborted_ ? ErrorCode(asio::error::timed_out) : got.error;
      if (!result_.error) fail(describe(up, why, "reading the response"));
      co_return;
    }
    up.buffer.commit(got.bytes);
  }
  result_.keep_alive = keep_alive;
  clean_ = received.facts.keep_alive && uploaded_;
}

Awaitable<void> Relay::tunnel(Connection& up, const RelayRequest& request, const ResponseHead& head,
                              std::size_t head_size) {
  if (request.limit != nullptr) request.limit->disarm();
  client_watch_.disarm();
  out_head_.clear();
  append_relayed_response(out_head_, head, {.drop_length = true, .upgrade = true});
  up.buffer.consume(head_size);
  OutgoingBody piece(false);
  piece.add_raw(out_head_);
  const bool sent = co_await to_client(piece);
  if (!sent) co_return;
  result_.status = 101;
  client_buffer_.make_room(client_buffer_.capacity());
  up.buffer.make_room(up.buffer.capacity());
  TunnelTraffic traffic;
  const TunnelEnd end =
      co_await run_tunnel(client_, client_buffer_, up.wire, up.buffer, config_.idle_timeout, traffic);
  result_.tunnel_cut = why_cut(end);
  result_.response_bytes = traffic.back;
}

Awaitable<bool> Relay::to_client(OutgoingBody& piece) {
  const ErrorCode failed = co_await client_.write(piece.buffers(), config_.body_timeout);
  if (!failed && !aborted_) co_return true;
  if (result_.fault == ClientFault::none && !result_.error) {
    result_.fault = failed == asio::error::timed_out ? ClientFault::timeout : ClientFault::gone;
  }
  co_return false;
}

// While the upstream thinks, nobody reads the client's socket: what it sends is its next request, and an end
// of its sending is no reason to give up. A reset is, and nothing else would tell of it before the answer.
void Relay::look_at_client() {
  client_watch_.arm(kLookAtClient);  // also then: what has just completed was not cancelled
  if (!client_.torn_down()) return;
  result_.fault = ClientFault::gone;
  up_->wire.cancel();
}

void Relay::abort() {
  // What waits is cancelled. What has just completed cannot be: it looks at aborted_ when it goes on.
  aborted_ = true;
  response_until_ = Clock::now();
  if (up_ != nullptr) up_->wire.cancel();
}

void Relay::fail(UpstreamError error) {
  result_.error = std::move(error);
}

}  // namespace qrerank::proxy::http
