#include "proxy/upstream/client.hpp"

namespace qrerank::proxy::upstream {
namespace {

// A node that came back is noticed within a few checks.
constexpr std::string_view kRetryAfterSeconds = "2";

}  // namespace

std::string_view to_string(UpstreamErrorKind kind) {
  switch (kind) {
    case UpstreamErrorKind::connect_refused:
      return "connect_refused";
    case UpstreamErrorKind::connect_timeout:
      return "connect_timeout";
    case UpstreamErrorKind::tls_failed:
      return "tls_failed";
    case UpstreamErrorKind::timeout:
      return "timeout";
    case UpstreamErrorKind::cut_off:
      return "cut_off";
    case UpstreamErrorKind::malformed:
      return "malformed";
    case UpstreamErrorKind::too_large:
      return "too_large";
    case UpstreamErrorKind::no_healthy_upstream:
      return "no_healthy_upstream";
  }
  return "unknown";
}

unsigned status_of(UpstreamErrorKind kind) {
  if (kind == UpstreamErrorKind::no_healthy_upstream) return 503;
  return kind == UpstreamErrorKind::connect_timeout || kind == UpstreamErrorKind::timeout ? 504 : 502;
}

http::Reply reply_for(const UpstreamError& error) {
  auto reply = http::error_reply(status_of(error.kind), error.message);
  if (reply.status == 503) reply.fields.push_back({"retry-after", std::string(kRetryAfterSeconds)});
  reply.failure = error.message;
  return reply;
}

}  // namespace qrerank::proxy::upstream
