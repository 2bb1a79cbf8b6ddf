// What the listener and its sessions count (proxy/http).
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "proxy/observe/metrics/closed_set.hpp"
#include "proxy/observe/registry.hpp"

namespace qrerank::proxy::observe::metrics {

/// What a request was.
enum class Endpoint {
  search,
  search_batch,
  search_groups,
  query,
  query_batch,
  query_groups,
  recommend,
  recommend_batch,
  recommend_groups,
  discover,
  discover_batch,
  other,
};

/// "search", "query/batch", …; the path behind /collections/{c}/points/, or "other".
std::string_view label(Endpoint endpoint);
/// Backwards; what is not in the set is `other`.
Endpoint endpoint_named(std::string_view path);

/// What became of it.
enum class Outcome {
  passed,     ///< relayed as it came
  reranked,   ///< answered in the new order
  fallback,   ///< answered in Qdrant's order, with a reason
  refused,    ///< our 4xx
  failed,     ///< our 5xx
  cancelled,  ///< the client went away
};
std::string_view label(Outcome outcome);

class Http {
 public:
  /// `limits`: what limit_tripped() may be told.
  Http(Registry& registry, std::span<const std::string_view> limits);

  /// One request to the proxied listener, done.
  void request(Endpoint endpoint, Outcome outcome, std::chrono::microseconds took, std::uint64_t body_bytes);
  void connection_opened();
  void connection_closed();
  /// A client's TLS handshake came to nothing.
  void handshake_failed() { handshakes_failed_.add(); }
  /// A client's connection over the share of its address.
  void connection_turned_away() { turned_away_.add(); }
  /// A client ran into the setting of that name.
  void limit_tripped(std::string_view setting) { limits_[setting].add(); }
  /// Bodies of searches that are held in memory now.
  void held(std::uint64_t bytes) { held_.set(static_cast<double>(bytes)); }

 private:
  struct OfEndpoint {
    std::vector<Counter> by_outcome;
    Histogram seconds;
  };
  std::vector<OfEndpoint> requests_;  // by endpoint
  Counter response_bytes_;
  Gauge connections_;
  Counter connections_opened_;
  Counter handshakes_failed_;
  Counter turned_away_;
  CountersByLabel limits_;
  Gauge held_;
};

}  // namespace qrerank::proxy::observe::metrics
