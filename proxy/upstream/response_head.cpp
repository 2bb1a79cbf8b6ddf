#include "proxy/upstream/response_head.hpp"

#include <boost/asio/error.hpp>

namespace qrerank::proxy::upstream {

UpstreamError describe(const Connection& connection, const http::ErrorCode& error, std::string_view doing) {
  std::string message = "upstream " + connection.name() + ": ";
  message.append(doing).append(": ");
  if (error == http::asio::error::timed_out) return {UpstreamErrorKind::timeout, message + "timed out"};
  if (error == http::asio::error::eof) return {UpstreamErrorKind::cut_off, message + "connection closed"};
  if (tls::is_truncation(error))
    return {UpstreamErrorKind::cut_off, message + "connection closed without TLS's close_notify"};
  return {UpstreamErrorKind::cut_off, message + error.message()};
}

http::Awaitable<tl::expected<ReceivedHead, UpstreamError>> read_response_head(
    Connection& connection, bool to_head, const http::Clock::time_point& until, http::ResponseHead& head) {
  http::Buffer& buffer = connection.buffer;
  http::HeadScan scan;
  const auto malformed = [&](std::string_view why) {
    std::string message = "upstream " + connection.name() + ": malformed response: ";
    message.append(why);
    return tl::unexpected(UpstreamError{UpstreamErrorKind::malformed, std::move(message)});
  };
  // Of one interim response after another, each may be here before anybody waits for it.
  if (http::Clock::now() >= until)
    co_return tl::unexpected(describe(connection, http::asio::error::timed_out, "waiting for the response"));
  if (buffer.empty()) {
    const http::ErrorCode cancelled = co_await connection.wire.let_others();
    if (cancelled) co_return tl::unexpected(describe(connection, cancelled, "waiting for the response"));
  }
  for (;;) {
    const auto found = scan.scan(buffer.view());
    if (found == http::HeadScan::Result::bare_lf) co_return malformed("bare LF");
    if (found == http::HeadScan::Result::complete) break;
    if (buffer.tail_size() == 0) {
      if (buffer.size() >= kMaxResponseHead) co_return malformed("header too large");
      buffer.make_room(buffer.size() < buffer.capacity() ? buffer.capacity() : 2 * buffer.capacity());
    }
    const http::ReadResult got =
        co_await connection.wire.read(buffer.tail(), buffer.tail_size(), until - http::Clock::now());
    if (got.error) co_return tl::unexpected(describe(connection, got.error, "waiting for the response"));
    buffer.commit(got.bytes);
    connection.answered = true;
  }
  if (const auto bad = http::parse_head(buffer.view().substr(0, scan.size()), head))
    co_return malformed(bad->why);
  auto facts = http::examine(head, to_head);
  if (!facts) co_return malformed(facts.error().why);
  co_return ReceivedHead{scan.size(), *facts};
}

}  // namespace qrerank::proxy::upstream
