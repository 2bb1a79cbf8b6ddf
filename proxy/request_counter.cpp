#include "proxy/request_counter.hpp"

#include <chrono>

#include "proxy/flow/failure.hpp"
#include "proxy/observe/log.hpp"

namespace qrerank::proxy {
namespace {

namespace metrics = observe::metrics;

metrics::Outcome outcome_of(const http::RequestRecord& record) {
  using metrics::Outcome;
  if (record.status == 0) return Outcome::cancelled;
  if (record.kind == flow::kReranked) return Outcome::reranked;
  if (record.kind == flow::kFallback) return Outcome::fallback;
  if (!record.failure.empty() && record.status >= 500) return Outcome::failed;
  if (record.kind == flow::kRefused) return Outcome::refused;
  return Outcome::passed;
}

// Query strings may hold a text to search for; they stay out of the log.
std::string_view path_of(const http::RequestHead& head) {
  return head.target.substr(0, head.target.find('?'));
}

}  // namespace

void RequestCounter::request_finished(const http::RequestRecord& record) {
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(record.duration);
  const auto outcome = outcome_of(record);
  metrics_.request(metrics::endpoint_named(record.endpoint), outcome, took, record.response_bytes);
  const bool access_log = access_log_;
  if (record.failure.empty() && !access_log) return;
  const std::string& request_id = record.id.text();
  if (!record.failure.empty()) {
    observe::log::warn(request_id, "request failed",
                       {{"method", record.head.method},
                        {"path", path_of(record.head)},
                        {"status", record.status},
                        {"reason", record.failure}});
  }
  if (access_log) {
    observe::log::info(request_id, "request",
                       {{"client", record.client},
                        {"method", record.head.method},
                        {"path", path_of(record.head)},
                        {"status", record.status},
                        {"outcome", metrics::label(outcome)},
                        {"bytes", record.response_bytes},
                        {"us", took.count()},
                        {"upstream", observe::log::or_dash(record.upstream)},
                        {"model", observe::log::or_dash(record.told.model)},
                        {"reason", observe::log::or_dash(record.told.reason)},
                        {"candidates", record.told.candidates},
                        {"trace", observe::log::or_dash(record.trace)}});
  }
}

void RequestCounter::limit_tripped(http::Limit limit) {
  metrics_.limit_tripped(setting_of(limit));
}

void RequestCounter::connection_opened() {
  metrics_.connection_opened();
}
void RequestCounter::connection_closed() {
  metrics_.connection_closed();
}

void RequestCounter::handshake_failed(std::string_view why) {
  metrics_.handshake_failed();
  observe::log::debug("", "a TLS handshake failed", {{"why", why}});
}

void RequestCounter::connection_turned_away() {
  metrics_.connection_turned_away();
  limit_tripped(http::Limit::max_connections_per_address);
}

void RequestCounter::accept_failed(std::string_view why) {
  observe::log::error("", "cannot accept connections; trying on", {{"why", why}});
}

void RequestCounter::connection_failed(std::string_view what) {
  observe::log::error("", "a connection ended by an exception", {{"what", what}});
}

}  // namespace qrerank::proxy
