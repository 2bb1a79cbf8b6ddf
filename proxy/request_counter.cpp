#include "proxy/request_counter.hpp"

#include <chrono>

#include "proxy/flow/failure.hpp"
#include "proxy/observe/log.hpp"
#include "proxy/observe/request_id.hpp"
#include "proxy/route/endpoints.hpp"

namespace qrerank::proxy {
namespace {

observe::Outcome outcome_of(const http::RequestRecord& record) {
  using observe::Outcome;
  if (record.status == 0) return Outcome::cancelled;
  if (record.kind == flow::kReranked) return Outcome::reranked;
  if (record.kind == flow::kFallback) return Outcome::fallback;
  if (!record.failure.empty() && record.status >= 500) return Outcome::failed;
  if (record.kind == flow::kRefused) return Outcome::refused;
  return Outcome::passed;
}

observe::Endpoint endpoint_of(const http::RequestHead& head) {
  const auto match = route::match(head.method, head.target);
  return match ? observe::endpoint_named(match->row->path) : observe::Endpoint::other;
}

// Query strings may hold a text to search for; they stay out of the log.
std::string_view path_of(const http::RequestHead& head) {
  return head.target.substr(0, head.target.find('?'));
}

}  // namespace

void RequestCounter::request_finished(const http::RequestRecord& record) {
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(record.duration);
  const auto outcome = outcome_of(record);
  metrics_.request(endpoint_of(record.head), outcome, took);
  const auto* id = record.head.find("x-request-id");
  if (record.failure.empty() && !access_log_) return;
  const auto request_id = observe::request_id_from(id == nullptr ? std::string_view() : id->value);
  if (!record.failure.empty()) {
    observe::log::warn(request_id, "request failed",
                       {{"method", record.head.method},
                        {"path", path_of(record.head)},
                        {"status", record.status},
                        {"reason", record.failure}});
  }
  if (access_log_) {
    observe::log::info(request_id, "request",
                       {{"method", record.head.method},
                        {"path", path_of(record.head)},
                        {"status", record.status},
                        {"outcome", observe::label(outcome)},
                        {"bytes", record.response_bytes},
                        {"us", took.count()}});
  }
}

void RequestCounter::connection_opened() {
  metrics_.connection_opened(observe::Side::client);
}
void RequestCounter::connection_closed() {
  metrics_.connection_closed(observe::Side::client);
}

void RequestCounter::connection_failed(std::string_view what) {
  observe::log::error("", "a connection ended by an exception", {{"what", what}});
}

}  // namespace qrerank::proxy
