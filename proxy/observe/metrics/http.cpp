#include "proxy/observe/metrics/http.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace qrerank::proxy::observe::metrics {
namespace {

constexpr std::array<std::string_view, 12> kEndpoints = {
    "search",    "search/batch",    "search/groups",    "query",    "query/batch",    "query/groups",
    "recommend", "recommend/batch", "recommend/groups", "discover", "discover/batch", "other"};
constexpr std::array<std::string_view, 6> kOutcomes = {"passed",  "reranked", "fallback",
                                                       "refused", "failed",   "cancelled"};
constexpr Label kClients{"side", "client"};

template <class T>
std::size_t at(T enumerator) {
  return static_cast<std::size_t>(enumerator);
}

}  // namespace

std::string_view label(Endpoint endpoint) {
  return kEndpoints[at(endpoint)];
}
std::string_view label(Outcome outcome) {
  return kOutcomes[at(outcome)];
}

Endpoint endpoint_named(std::string_view path) {
  const auto found = std::ranges::find(kEndpoints, path);
  return found == kEndpoints.end() ? Endpoint::other : static_cast<Endpoint>(found - kEndpoints.begin());
}

Http::Http(Registry& registry, std::span<const std::string_view> limits)
    : response_bytes_(
          registry.counter("qrerank_response_body_bytes_total", "Bytes of response bodies sent to clients.")),
      connections_(registry.gauge("qrerank_connections", "Open connections of clients.", {kClients})),
      connections_opened_(registry.counter("qrerank_connections_opened_total",
                                           "Connections of clients that were accepted.", {kClients})),
      handshakes_failed_(registry.counter("qrerank_tls_handshakes_failed_total",
                                          "TLS handshakes of clients that came to nothing.")),
      turned_away_(registry.counter("qrerank_connections_turned_away_total",
                                    "Connections answered with 503 because their address had its share.")),
      limits_(registry, "qrerank_limits_tripped_total",
              "Times that a client ran into a limit, by the setting that set it.", "limit", limits),
      held_(registry.gauge(
          "qrerank_held_body_bytes",
          "Bodies of searches and answers to them in memory now; proxy.max_inspect_memory bounds them.")) {
  for (const auto endpoint : kEndpoints) {
    OfEndpoint its{
        {},
        registry.histogram("qrerank_request_duration_seconds",
                           "From the end of the request's header to the last byte of the response.",
                           duration_bounds(), {{"endpoint", endpoint}})};
    for (const auto outcome : kOutcomes) {
      its.by_outcome.push_back(registry.counter("qrerank_requests_total",
                                                "Requests by endpoint and what became of them.",
                                                {{"endpoint", endpoint}, {"outcome", outcome}}));
    }
    requests_.push_back(std::move(its));
  }
}

void Http::request(Endpoint endpoint, Outcome outcome, std::chrono::microseconds took,
                   std::uint64_t body_bytes) {
  OfEndpoint& its = requests_[at(endpoint)];
  its.by_outcome[at(outcome)].add();
  its.seconds.observe(took);
  response_bytes_.add(static_cast<double>(body_bytes));
}

void Http::connection_opened() {
  connections_.add(1);
  connections_opened_.add();
}
void Http::connection_closed() {
  connections_.add(-1);
}

}  // namespace qrerank::proxy::observe::metrics
