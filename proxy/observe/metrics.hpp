// Everything that is counted, one method an event. Names and labels stand in metrics.cpp only; labels come
// from closed sets, so the number of series is fixed when the program starts. All methods are thread-safe;
// the handles are made beforehand (a model's when it is first told of, which is at the start), an event costs
// an atomic addition (histograms: a short lock).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "reranker/scorer.hpp"

namespace qrerank::proxy::observe {

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

/// Whose connection; the upstream's are not counted yet.
enum class Side { client };
std::string_view label(Side side);

class Metrics {
 public:
  /// `reasons` is the closed set of fallback labels; `build` goes to qrerank_build_info.
  struct Labels {
    std::span<const std::string_view> reasons;
    std::string version;
    bool with_torch = false;
  };
  explicit Metrics(const Labels& labels);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  using Microseconds = std::chrono::microseconds;

  /// One request to the proxied listener, done.
  void request(Endpoint endpoint, Outcome outcome, Microseconds took);
  /// A search that was not reranked; a reason outside the set throws std::invalid_argument (our bug).
  void fallback(std::string_view reason);
  /// Where the time of one reranked search went.
  void stages(Microseconds upstream, const reranker::Timings& timings);
  /// Candidates that got a score in one search, and how many of those were in the cache.
  void candidates(std::size_t scored, std::size_t cached);

  void connection_opened(Side side);
  void connection_closed(Side side);
  /// A client's connection over the share of its address.
  void connection_turned_away();

  /// A client's TLS handshake came to nothing.
  void handshake_failed();

  /// The configuration was read again: it is in force, or it was refused and the old one stays.
  void config_reload(bool in_force);

  // The scoring engine's side; see scoring_observer.hpp.
  void batch(std::size_t texts, std::size_t tokens, Microseconds compute);
  void queue(std::size_t texts, std::size_t tokens);
  void cache(std::size_t hits, std::size_t misses);
  /// A node of the upstream as it is now.
  struct UpstreamSample {
    std::string url;
    bool up = false;
    std::uint64_t outstanding = 0;
    std::uint64_t connections = 0;
    std::uint64_t failures = 0;   ///< ever
    std::uint64_t ejections = 0;  ///< ever
  };
  void upstream(const UpstreamSample& now);

  /// A configured model's state now, and the bytes of weights given to it.
  void model(const std::string& name, reranker::ModelState state, std::uint64_t bytes);

  /// Prometheus' text format, content type kContentType.
  [[nodiscard]] std::string text() const;
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace qrerank::proxy::observe
