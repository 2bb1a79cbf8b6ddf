// The half of Session for a request whose body is held and looked at. Its members are session.hpp's.
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <exception>

#include "proxy/http/head_writer.hpp"
#include "proxy/http/held_body.hpp"
#include "proxy/http/session.hpp"

namespace qrerank::proxy::http {
namespace {

// The watch on a client has no limit of its own: the flow's own deadlines end it.
constexpr std::chrono::hours kWatch{24};

}  // namespace

struct Session::Handled {
  Outcome outcome;
  std::string failure;
};

Awaitable<bool> Session::inspect(HeadVerdict verdict) {
  using namespace asio::experimental::awaitable_operators;
  inspected_ = true;
  pin_head();
  buffer_.consume(head_size_);
  BodyReader body(facts_);
  ByteShare share(context_.held);
  const Holding how{facts_, head_.version, verdict.max_body, context_.config.body_timeout, whole_};
  HeldBody held = co_await hold_body(client_, buffer_, body, how, share);
  if (held.limit) trip(*held.limit);
  if (held.state == HeldBody::State::gone && whole_.expired()) {
    co_return co_await refuse(408, kLateBody);
  }
  if (held.state == HeldBody::State::gone) {
    record(0, 0, "the client closed before its request was complete");
    co_return false;
  }
  if (held.state == HeldBody::State::refused) co_return co_await refuse(held.status, held.why);
  if (held.state == HeldBody::State::too_large) {
    inspected_ = false;
    out_.clear();
    append_relayed_request(out_, head_, facts_, held.continue_sent);
    RelayRequest request{.head = out_, .held = held.body, .rest = &body};
    request.chunked = facts_.framing == Framing::chunked;
    request.response_headers = &verdict.headers_if_uninspected;
    co_return co_await finish(request);
  }

  InspectedRequest inspected{head_, std::move(held.body),         context_.client,  received_,
                             id_,   std::move(verdict.judgement), tracing_.spans(), &share};
  auto handling = handle(std::move(inspected));
  auto watching = watch();
  auto first = co_await (std::move(handling) || std::move(watching));
  if (share.refused()) trip(Limit::max_inspect_memory);
  if (first.index() == 1 && whole_.expired()) {
    co_return co_await refuse(504, kLateAnswer);
  }
  if (first.index() == 1) {
    record(0, 0, "the client went away");
    co_return false;
  }
  Handled handled = std::get<0>(std::move(first));
  if (auto* pass = std::get_if<PassAsItCame>(&handled.outcome)) {
    share.shrink_to(pass->body.size());
    co_return co_await pass_held(std::move(*pass));
  }
  Reply answer = std::get<Reply>(std::move(handled.outcome));
  const unsigned status = answer.status;
  const std::uint64_t bytes = answer.body.size();
  share.shrink_to(bytes);  // what the client has not read yet; the rest is gone
  const std::string_view kind = answer.kind;
  const Told told = std::move(answer.told);
  upstream_ = told.upstream;
  const std::string failure =
      handled.failure.empty() ? std::move(answer.failure) : std::move(handled.failure);
  const bool keep_alive = co_await reply(std::move(answer), facts_.keep_alive);
  record(status, bytes, failure, kind, told);
  co_return keep_alive;
}

Awaitable<bool> Session::pass_held(PassAsItCame pass) {
  const std::vector<FieldView> fields = pass.fields ? views_of(*pass.fields) : head_.fields;
  std::optional<std::uint64_t> length;
  if (facts_.framing != Framing::none || !pass.body.empty() || head_.method == "POST")
    length = pass.body.size();
  out_.clear();
  append_held_request(out_, head_.method, pass.target ? std::string_view(*pass.target) : head_.target, fields,
                      length);
  BodyReader nothing;
  RelayRequest request{.head = out_, .held = pass.body, .rest = &nothing};
  request.replayable = true;  // a search, and its body is held
  request.response_headers = &pass.response_headers;
  co_return co_await finish(request);
}

// An exception must not pass through operator||, which would go on waiting for the watch.
Awaitable<Session::Handled> Session::handle(InspectedRequest request) {
  Handled handled;
  try {
    handled.outcome = co_await context_.interceptor.handle(std::move(request));
  } catch (const std::exception& error) {
    handled.outcome = error_reply(500, "internal error");
    handled.failure = error.what();
  }
  co_return handled;
}

// Returns when the client is gone. What it sends meanwhile is its next request and stays in the buffer.
Awaitable<void> Session::watch() {
  buffer_.make_room(2 * kBufferBytes);
  while (buffer_.tail_size() > 0) {
    const ReadResult got = co_await client_.read(buffer_.tail(), buffer_.tail_size(), kWatch);
    if (got.error || whole_.expired()) co_return;
    buffer_.commit(got.bytes);
  }
  // A client that pipelines this much is not watched any further; only cancellation ends the wait.
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> forever(
      client_.socket().get_executor());
  forever.expires_at(Clock::time_point::max());
  static_cast<void>(co_await forever.async_wait(as_result));
}

}  // namespace qrerank::proxy::http
