#include "proxy/http/session.hpp"

#include <boost/asio/error.hpp>
#include <functional>

#include "proxy/http/head_writer.hpp"

namespace qrerank::proxy::http {
namespace {

// How long, at most, a refused client that goes on sending is read, so that it can read why.
constexpr std::chrono::seconds kLinger{2};

// Of the strings that an idle connection keeps for its next request: most heads fit.
constexpr std::size_t kKeptBytes = 4 * 1024;

// Before a request: some clients send one behind a body. More is not a client.
constexpr int kMaxEmptyLines = 16;

constexpr std::string_view kCutOff = "not finished within proxy.drain_timeout";

bool is_safe(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

// A view into `from` as a view into its copy; one of other bytes stays.
void rebase(std::string_view& view, std::string_view from, const std::string& copy) {
  const std::less_equal<const char*> before;  // also orders pointers into different bytes
  if (!before(from.data(), view.data()) || !before(view.data() + view.size(), from.data() + from.size()))
    return;
  view = std::string_view(copy.data() + (view.data() - from.data()), view.size());
}

}  // namespace

void Session::close_if_idle() {
  if (idle_) client_.cancel();
}

Awaitable<void> Session::run() {
  client_.prepare();
  bool usable = true;
  if (tls::ContextPtr context = context_.tls.get()) usable = co_await secure(std::move(context));
  while (usable) {
    Next next = co_await wait_for_request();
    if (next == Next::request) next = co_await receive_head();
    if (next == Next::close) break;
    const bool keep_alive = co_await serve();
    whole_.disarm();
    if (!keep_alive) break;
  }
  if (unread_body_) co_await linger();
  co_await client_.shutdown_send(kLinger);
  client_.close();
}

// The TLS handshake. Nothing has been asked yet, so a drain ends it.
Awaitable<bool> Session::secure(tls::ContextPtr context) {
  const auto limit = context->handshake_timeout();
  auto channel = tls::Channel::accept(std::move(context), client_.socket().native_handle());
  idle_ = true;
  const ErrorCode failed = co_await client_.start_tls(std::move(channel), limit);
  idle_ = false;
  if (!failed) co_return true;
  const bool late = failed == asio::error::timed_out;
  const bool plain = client_.channel()->met_plain_http();
  const std::string& why = client_.channel()->why();
  if (context_.observer != nullptr && failed != asio::error::operation_aborted)
    context_.observer->handshake_failed(late ? "timed out" : plain ? "plain HTTP" : std::string_view(why));
  if (late) trip(Limit::handshake_timeout);
  client_.stop_tls();
  if (plain) {
    received_ = Clock::now();
    co_await refuse(400, "plain HTTP was sent to a port that speaks HTTPS");
  }
  unread_body_ = !late && failed != asio::error::operation_aborted;  // lets an alert be read
  co_return false;
}

// Until a byte of a request is there. Empty lines before it are skipped (RFC 9112 §2.2).
Awaitable<Session::Next> Session::wait_for_request() {
  int empty_lines = 0;
  bool half_line = false;  // its LF is still on the way
  for (;;) {
    if (half_line && !buffer_.empty()) {
      half_line = false;
      ++empty_lines;
      if (buffer_.view().front() != '\n') {
        head_ = RequestHead{};
        co_await refuse(400, "a CR without LF before the request");
        co_return Next::close;
      }
      buffer_.consume(1);
    }
    for (; buffer_.view().starts_with("\r\n"); ++empty_lines) {
      if (empty_lines == kMaxEmptyLines) {
        head_ = RequestHead{};
        co_await refuse(400, "empty lines instead of a request");
        co_return Next::close;
      }
      buffer_.consume(2);
    }
    if (buffer_.view() == "\r" && empty_lines < kMaxEmptyLines) {
      buffer_.consume(1);
      half_line = true;
    }
    if (!buffer_.empty()) {
      if (buffer_.tail_size() == 0) buffer_.make_room(buffer_.capacity());
      co_return Next::request;
    }
    const ErrorCode failed = co_await read_first_bytes();
    if (failed) co_return Next::close;
  }
}

// An idle connection holds no buffer.
Awaitable<ErrorCode> Session::read_first_bytes() {
  // Behind the others that are ready now: what this client sends in the meantime is there without a wait.
  const ErrorCode cancelled = co_await client_.let_others();
  if (cancelled) co_return cancelled;
  for (;;) {
    // Also when the drain has begun: what is here already was sent to a connection that was open.
    buffer_.reset(kBufferBytes);
    const ReadResult got = client_.try_read(buffer_.tail(), buffer_.tail_size());
    if (got.error != asio::error::would_block) {
      buffer_.commit(got.bytes);
      co_return got.error;
    }
    buffer_.reset(0);
    shed();
    if (context_.draining) co_return asio::error::operation_aborted;
    idle_ = true;
    const ErrorCode failed = co_await client_.readable(context_.config.idle_timeout);
    idle_ = false;
    if (failed && !context_.draining) co_return failed;
  }
}

Awaitable<Session::Next> Session::receive_head() {
  const std::size_t limit = context_.config.max_header_bytes;
  HeadScan scan;
  head_size_ = 0;
  head_ = RequestHead{{}, {}, 11, std::move(head_.fields)};
  head_.fields.clear();
  id_ = RequestId();
  endpoint_ = {};
  upstream_ = {};
  Clock::time_point until{};
  for (;;) {
    const auto found = scan.scan(buffer_.view());
    received_ = Clock::now();
    if (found == HeadScan::Result::bare_lf) {
      co_await refuse(400, "a line of the header ends without CR");
      co_return Next::close;
    }
    const std::size_t size = found == HeadScan::Result::complete ? scan.size() : buffer_.size();
    if (size > limit || (size == limit && found == HeadScan::Result::need_more)) {
      trip(Limit::max_header_bytes);
      co_await refuse(431, "the request header is larger than " + std::to_string(limit) + " bytes");
      co_return Next::close;
    }
    if (found == HeadScan::Result::complete) break;
    if (until == Clock::time_point{}) until = received_ + context_.config.header_timeout;
    if (buffer_.tail_size() == 0) buffer_.make_room(2 * buffer_.size());
    const ReadResult got = co_await client_.read(buffer_.tail(), buffer_.tail_size(), until - received_);
    if (got.error == asio::error::timed_out) {
      trip(Limit::header_timeout);
      co_await refuse(408, "the request header did not arrive in time");
      co_return Next::close;
    }
    if (got.error) co_return Next::close;
    buffer_.commit(got.bytes);
  }
  head_size_ = scan.size();
  if (const auto bad = parse_head(buffer_.view().substr(0, head_size_), head_)) {
    co_await refuse(bad->status, bad->why);
    co_return Next::close;
  }
  if (const FieldView* own = head_.find(kRequestIdName)) id_ = RequestId(own->value);
  if (head_.fields.size() > context_.config.max_headers) {
    trip(Limit::max_headers);
    const std::string limit = std::to_string(context_.config.max_headers);
    co_await refuse(431, "the request has more than " + limit + " header fields");
    co_return Next::close;
  }
  const auto facts = examine(head_);
  if (!facts) {
    co_await refuse(facts.error().status, facts.error().why);
    co_return Next::close;
  }
  facts_ = *facts;
  co_return Next::request;
}

Awaitable<bool> Session::serve() {
  inspected_ = false;
  unrecorded_ = true;
  if (context_.config.request_timeout.count() > 0) whole_.arm(context_.config.request_timeout);
  tracing_.begin(head_);
  if (auto answer = prepare_forwarding()) co_return co_await answer_here(std::move(*answer));
  HeadVerdict verdict = context_.interceptor.judge(head_);
  endpoint_ = verdict.endpoint;
  if (verdict.action == HeadVerdict::Action::inspect) {
    const bool declared_too_large = facts_.framing == Framing::length && facts_.length > verdict.max_body;
    if (!declared_too_large) co_return co_await inspect(std::move(verdict));
    trip(Limit::max_inspect_body);
  }
  co_return co_await relay(verdict.headers_if_uninspected);
}

std::optional<Reply> Session::prepare_forwarding() {
  const bool told = context_.config.x_forwarded != config::XForwarded::off;
  const std::string_view id = context_.config.request_id ? std::string_view(id_.text()) : std::string_view();
  const Hop hop{context_.config, told ? std::string_view(peer()) : std::string_view(),
                client_.channel() != nullptr, context_.pool.host(), id};
  return http::prepare_forwarding(head_, facts_, hop, added_);
}

// A request that goes no further, Max-Forwards says.
Awaitable<bool> Session::answer_here(Reply answer) {
  const unsigned status = answer.status;
  const std::uint64_t bytes = answer.body.size();
  unread_body_ = status == 400 || facts_.framing != Framing::none;
  const bool keep_alive = co_await reply(std::move(answer), facts_.keep_alive && !unread_body_);
  buffer_.consume(head_size_);
  record(status, bytes, {});
  co_return keep_alive;
}

Awaitable<bool> Session::relay(const std::vector<Field>& response_headers) {
  out_.clear();
  append_relayed_request(out_, head_, facts_);
  const bool all_here = facts_.framing == Framing::none ||
                        (facts_.framing == Framing::length && buffer_.size() - head_size_ >= facts_.length);
  if (!all_here || facts_.upgrade) pin_head();  // the buffer is going to be read into
  buffer_.consume(head_size_);
  BodyReader body(facts_);
  RelayRequest request{.head = out_, .held = {}, .rest = &body};
  request.chunked = facts_.framing == Framing::chunked;
  request.replayable = facts_.framing == Framing::none && is_safe(head_.method);
  request.upgrade = facts_.upgrade;
  request.response_headers = &response_headers;
  co_return co_await finish(request);
}

// Relays and deals with how it ended; true when the connection can carry another request.
Awaitable<bool> Session::finish(const RelayRequest& plan) {
  RelayRequest request = plan;
  request.to_head = head_.method == "HEAD";
  request.client_version = head_.version;
  request.client_keep_alive = facts_.keep_alive;
  request.limit = &whole_;
  if (context_.config.request_id) request.request_id = id_.text();
  Relay relay(client_, buffer_, context_.pool, context_.config, context_.deadlines, context_.draining);
  relay_ = &relay;
  const Clock::time_point started = Clock::now();
  const RelayResult result = co_await relay.run(request);
  relay_ = nullptr;
  upstream_ = result.upstream;
  tracing_.relayed(head_.method, started, result);
  const bool answered = result.status != 0;
  if (result.fault == ClientFault::timeout && !relay.aborted()) trip(Limit::body_timeout);
  unread_body_ = !request.rest->done();

  if (relay.aborted() && !answered) {
    const bool late_body = unread_body_;
    co_return co_await refuse(late_body ? 408 : 504, late_body ? kLateBody : kLateAnswer);
  }
  if (result.fault == ClientFault::none && !result.error) {
    record(result.status, result.response_bytes, result.tunnel_cut);
    co_return result.keep_alive;
  }
  if (result.fault == ClientFault::none && !answered) {
    const Reply answer = upstream::reply_for(*result.error);
    const bool keep_alive = co_await reply(answer, facts_.keep_alive && request.rest->done());
    record(answer.status, answer.body.size(), result.error->message);
    co_return keep_alive;
  }
  if (result.fault == ClientFault::malformed && !answered) co_return co_await refuse(400, "malformed chunk");
  if (result.fault == ClientFault::timeout && !answered) {
    co_return co_await refuse(408, "the request body did not arrive in time");
  }
  // Nothing can be said any more. The client must not take a response without an end for a whole one.
  record(result.status, result.response_bytes,
         result.error ? std::string_view(result.error->message) : "the client went away");
  unread_body_ = false;
  if (answered) client_.reset();
  co_return false;
}

// proxy.request_timeout: whatever waits now ends, and its owner says why.
void Session::run_out() {
  trip(Limit::request_timeout);
  client_.cancel();
  if (relay_ != nullptr) relay_->abort();
}

Awaitable<bool> Session::reply(Reply reply, bool keep_alive) {
  keep_alive = keep_alive && !context_.draining;
  if (context_.config.request_id) {
    std::erase_if(reply.fields, [](const Field& field) { return iequals(field.name, kRequestIdName); });
    reply.fields.push_back({std::string(kRequestIdName), id_.text()});
  }
  out_.clear();
  append_reply_head(out_, reply, !keep_alive, head_.version < 11 && keep_alive);
  // Not copied behind the head: an answer may have many MiB, and it goes when it is sent.
  const std::string_view body = body_behind(reply, head_.method == "HEAD");
  asio::const_buffer both[2] = {asio::buffer(out_), asio::buffer(body.data(), body.size())};
  const std::span<asio::const_buffer> all(both, body.empty() ? 1 : 2);
  const ErrorCode failed = co_await client_.write(all, context_.config.body_timeout);
  co_return keep_alive && !failed;
}

// Our own error, after which nothing that this client sends can be trusted to begin a request.
Awaitable<bool> Session::refuse(unsigned status, std::string_view why) {
  unread_body_ = true;
  const Reply answer = error_reply(status, why);
  static_cast<void>(co_await reply(answer, false));
  record(status, answer.body.size(), why);
  co_return false;
}

// Closing with bytes unread would reset the connection and could take the answer with it.
Awaitable<void> Session::linger() {
  co_await client_.shutdown_send(kLinger);
  buffer_.reset(kBufferBytes);
  const Clock::time_point until = Clock::now() + kLinger;
  for (;;) {
    const ReadResult got = co_await client_.read(buffer_.tail(), buffer_.tail_size(), until - Clock::now());
    if (got.error || Clock::now() >= until) co_return;
  }
}

// What a large head has left does not stay with an idle connection.
void Session::shed() {
  for (std::string* kept : {&out_, &head_bytes_}) {
    if (kept->capacity() > kKeptBytes) std::string().swap(*kept);
  }
}

// Copies the head out of the buffer, which is about to be used for other bytes.
void Session::pin_head() {
  const std::string_view bytes = buffer_.view().substr(0, head_size_);
  head_bytes_.assign(bytes);
  rebase(head_.method, bytes, head_bytes_);
  rebase(head_.target, bytes, head_bytes_);
  for (FieldView& field : head_.fields) {
    rebase(field.name, bytes, head_bytes_);
    rebase(field.value, bytes, head_bytes_);
  }
}

void Session::account_for_killed() {
  if (killed_ && unrecorded_) record(0, 0, kCutOff);
}

void Session::trip(Limit limit) {
  if (context_.observer != nullptr) context_.observer->limit_tripped(limit);
}

void Session::record(unsigned status, std::uint64_t response_bytes, std::string_view failure,
                     std::string_view kind, const Told& told) {
  unrecorded_ = false;
  // What waited has ended for a reason that looks like somebody else's.
  if (killed_ && !failure.empty()) failure = kCutOff;
  RequestRecord done{.head = head_, .id = id_, .told = told};
  done.endpoint = endpoint_;
  done.status = status;
  done.inspected = inspected_;
  done.response_bytes = response_bytes;
  done.duration = Clock::now() - received_;
  done.failure = failure;
  done.kind = kind;
  done.client = peer();
  done.upstream = upstream_;
  std::string trace;
  if (const auto* spans = tracing_.spans()) trace = trace::to_hex(spans->id());
  done.trace = trace;
  if (context_.observer != nullptr) context_.observer->request_finished(done);
  tracing_.end(done);
}

// As text once it is asked for.
const std::string& Session::peer() {
  if (peer_.empty()) peer_ = from_.to_string();
  return peer_;
}

}  // namespace qrerank::proxy::http
