#include "proxy/observe/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "proxy/observe/log.hpp"

namespace qrerank::proxy::observe {
namespace {

constexpr std::array<std::string_view, 12> kEndpoints = {
    "search",    "search/batch",    "search/groups",    "query",    "query/batch",    "query/groups",
    "recommend", "recommend/batch", "recommend/groups", "discover", "discover/batch", "other"};
constexpr std::array<std::string_view, 6> kOutcomes = {"passed",  "reranked", "fallback",
                                                       "refused", "failed",   "cancelled"};
constexpr std::array<std::string_view, 1> kSides = {"client"};
constexpr std::array<std::string_view, 4> kStages = {"upstream", "tokenize", "queue", "compute"};

constexpr std::array kModelStates = {reranker::ModelState::unloaded, reranker::ModelState::loading,
                                     reranker::ModelState::ready, reranker::ModelState::draining,
                                     reranker::ModelState::failed};

// Seconds: a cached answer takes under a millisecond, a large model on a CPU tens of seconds.
const std::vector<double> kSeconds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                      0.25,   0.5,   1,      2.5,   5,    10,    30,   60};
const std::vector<double> kTokens = {128, 512, 1024, 2048, 4096, 8192, 16384, 32768};

double seconds(std::chrono::microseconds time) {
  return std::chrono::duration<double>(time).count();
}

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
std::string_view label(Side side) {
  return kSides[at(side)];
}

Endpoint endpoint_named(std::string_view path) {
  const auto found = std::ranges::find(kEndpoints, path);
  return found == kEndpoints.end() ? Endpoint::other : static_cast<Endpoint>(found - kEndpoints.begin());
}

struct Metrics::Impl {
  prometheus::Registry registry;

  std::array<std::array<prometheus::Counter*, kOutcomes.size()>, kEndpoints.size()> requests{};
  std::array<prometheus::Histogram*, kEndpoints.size()> request_seconds{};
  std::map<std::string, prometheus::Counter*, std::less<>> fallbacks;
  std::array<prometheus::Histogram*, kStages.size()> stage_seconds{};
  std::array<prometheus::Gauge*, kSides.size()> connections{};
  std::array<prometheus::Counter*, kSides.size()> connections_opened{};
  prometheus::Counter* handshakes_failed =
      counter("qrerank_tls_handshakes_failed_total", "TLS handshakes of clients that came to nothing.");
  prometheus::Counter* scored = counter("qrerank_candidates_total", "Candidates that were given a score.");
  prometheus::Counter* cached =
      counter("qrerank_cached_candidates_total", "Candidates whose score came from the cache.");
  prometheus::Counter* batches = counter("qrerank_batches_total", "Batches computed.");
  prometheus::Counter* texts = counter("qrerank_texts_total", "Texts computed.");
  prometheus::Counter* tokens = counter("qrerank_tokens_total", "Tokens computed.");
  prometheus::Counter* cache_hits = counter("qrerank_cache_hits_total", "Scores found in the cache.");
  prometheus::Counter* cache_misses = counter("qrerank_cache_misses_total", "Scores not found in the cache.");
  prometheus::Counter* turned_away =
      counter("qrerank_connections_turned_away_total",
              "Connections answered with 503 because their address had its share.");
  std::array<prometheus::Counter*, 2> config_reloads{};  // refused, in force
  prometheus::Gauge* queued_texts = gauge("qrerank_queue_texts", "Texts waiting to be scored.");
  prometheus::Gauge* queued_tokens = gauge("qrerank_queue_tokens", "Tokens waiting to be scored.");
  prometheus::Gauge* log_dropped =
      gauge("qrerank_log_dropped_lines", "Log lines lost to a slow standard error.");
  prometheus::Histogram* batch_tokens = &prometheus::BuildHistogram()
                                             .Name("qrerank_batch_tokens")
                                             .Help("Tokens per batch.")
                                             .Register(registry)
                                             .Add({}, kTokens);
  prometheus::Histogram* batch_seconds = &prometheus::BuildHistogram()
                                              .Name("qrerank_batch_compute_seconds")
                                              .Help("Computing one batch.")
                                              .Register(registry)
                                              .Add({}, kSeconds);

  struct Model {
    std::array<prometheus::Gauge*, kModelStates.size()> states{};
    prometheus::Gauge* bytes = nullptr;
  };
  prometheus::Family<prometheus::Gauge>& model_states = prometheus::BuildGauge()
                                                            .Name("qrerank_model_state")
                                                            .Help("1 for the state that a model is in.")
                                                            .Register(registry);
  prometheus::Family<prometheus::Gauge>& model_bytes =
      prometheus::BuildGauge()
          .Name("qrerank_model_bytes")
          .Help("Memory given to a model's weights, on all devices.")
          .Register(registry);
  std::mutex models_lock;               // guards models
  std::map<std::string, Model> models;  // as many as are configured

  Model& model(const std::string& name) {
    const auto [at, added] = models.try_emplace(name);
    if (added) {
      for (std::size_t s = 0; s < kModelStates.size(); ++s) {
        at->second.states[s] =
            &model_states.Add({{"model", name}, {"state", std::string(to_string(kModelStates[s]))}});
      }
      at->second.bytes = &model_bytes.Add({{"model", name}});
    }
    return at->second;
  }

  struct Upstream {
    prometheus::Gauge* up = nullptr;
    prometheus::Gauge* outstanding = nullptr;
    prometheus::Gauge* connections = nullptr;
    prometheus::Counter* failures = nullptr;
    prometheus::Counter* ejections = nullptr;
  };
  prometheus::Family<prometheus::Gauge>& upstream_up =
      gauges("qrerank_upstream_up", "1 while a server takes its share of the requests.");
  prometheus::Family<prometheus::Gauge>& upstream_outstanding =
      gauges("qrerank_upstream_outstanding_requests", "Requests under way on a server.");
  prometheus::Family<prometheus::Gauge>& upstream_connections =
      gauges("qrerank_upstream_connections", "Open connections to a server, the idle ones included.");
  prometheus::Family<prometheus::Counter>& upstream_failures =
      counters("qrerank_upstream_failures_total", "Requests that failed by a server's fault.");
  prometheus::Family<prometheus::Counter>& upstream_ejections = counters(
      "qrerank_upstream_ejections_total", "Times that a server was ejected for requests that failed.");
  std::mutex upstreams_lock;                  // guards upstreams
  std::map<std::string, Upstream> upstreams;  // as many as are configured

  Upstream& upstream(const std::string& url) {
    const auto [at, added] = upstreams.try_emplace(url);
    if (added) {
      const prometheus::Labels labels{{"upstream", url}};
      at->second = {&upstream_up.Add(labels), &upstream_outstanding.Add(labels),
                    &upstream_connections.Add(labels), &upstream_failures.Add(labels),
                    &upstream_ejections.Add(labels)};
    }
    return at->second;
  }

  explicit Impl(const Labels& labels) {
    auto& request_family = prometheus::BuildCounter()
                               .Name("qrerank_requests_total")
                               .Help("Requests by endpoint and what became of them.")
                               .Register(registry);
    auto& duration_family = prometheus::BuildHistogram()
                                .Name("qrerank_request_duration_seconds")
                                .Help("First byte of the request to the last of the response.")
                                .Register(registry);
    for (std::size_t e = 0; e < kEndpoints.size(); ++e) {
      for (std::size_t o = 0; o < kOutcomes.size(); ++o) {
        requests[e][o] = &request_family.Add(
            {{"endpoint", std::string(kEndpoints[e])}, {"outcome", std::string(kOutcomes[o])}});
      }
      request_seconds[e] = &duration_family.Add({{"endpoint", std::string(kEndpoints[e])}}, kSeconds);
    }
    auto& fallback_family = prometheus::BuildCounter()
                                .Name("qrerank_fallbacks_total")
                                .Help("Searches that were not reranked although asked for, by reason.")
                                .Register(registry);
    for (const auto reason : labels.reasons) {
      fallbacks.emplace(reason, &fallback_family.Add({{"reason", std::string(reason)}}));
    }
    auto& stage_family = prometheus::BuildHistogram()
                             .Name("qrerank_stage_duration_seconds")
                             .Help("Where the time of reranked searches went.")
                             .Register(registry);
    for (std::size_t s = 0; s < kStages.size(); ++s) {
      stage_seconds[s] = &stage_family.Add({{"stage", std::string(kStages[s])}}, kSeconds);
    }
    auto& open_family =
        prometheus::BuildGauge().Name("qrerank_connections").Help("Open connections.").Register(registry);
    auto& opened_family = prometheus::BuildCounter()
                              .Name("qrerank_connections_opened_total")
                              .Help("Connections opened.")
                              .Register(registry);
    for (std::size_t s = 0; s < kSides.size(); ++s) {
      connections[s] = &open_family.Add({{"side", std::string(kSides[s])}});
      connections_opened[s] = &opened_family.Add({{"side", std::string(kSides[s])}});
    }
    auto& reload_family = prometheus::BuildCounter()
                              .Name("qrerank_config_reloads_total")
                              .Help("Reloads of the configuration; after a refused one the old one stays.")
                              .Register(registry);
    config_reloads = {&reload_family.Add({{"outcome", "refused"}}),
                      &reload_family.Add({{"outcome", "in_force"}})};
    prometheus::BuildGauge()
        .Name("qrerank_build_info")
        .Help("Always 1; the labels tell what is running.")
        .Register(registry)
        .Add({{"version", labels.version}, {"local_models", labels.with_torch ? "yes" : "no"}})
        .Set(1);
  }

  prometheus::Family<prometheus::Counter>& counters(const char* name, const char* help) {
    return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
  }
  prometheus::Family<prometheus::Gauge>& gauges(const char* name, const char* help) {
    return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
  }
  prometheus::Counter* counter(const char* name, const char* help) { return &counters(name, help).Add({}); }
  prometheus::Gauge* gauge(const char* name, const char* help) { return &gauges(name, help).Add({}); }
};

Metrics::Metrics(const Labels& labels) : impl_(std::make_unique<Impl>(labels)) {}
Metrics::~Metrics() = default;

void Metrics::request(Endpoint endpoint, Outcome outcome, Microseconds took) {
  impl_->requests[at(endpoint)][at(outcome)]->Increment();
  impl_->request_seconds[at(endpoint)]->Observe(seconds(took));
}

void Metrics::fallback(std::string_view reason) {
  const auto found = impl_->fallbacks.find(reason);
  if (found == impl_->fallbacks.end()) {
    throw std::invalid_argument("not a reason of the closed set: " + std::string(reason));
  }
  found->second->Increment();
}

void Metrics::stages(Microseconds upstream, const reranker::Timings& timings) {
  const std::array<Microseconds, kStages.size()> took = {upstream, timings.tokenize, timings.queue,
                                                         timings.compute};
  for (std::size_t s = 0; s < took.size(); ++s) {
    impl_->stage_seconds[s]->Observe(seconds(took[s]));
  }
}

void Metrics::candidates(std::size_t scored, std::size_t cached) {
  impl_->scored->Increment(static_cast<double>(scored));
  impl_->cached->Increment(static_cast<double>(cached));
}

void Metrics::connection_opened(Side side) {
  impl_->connections[at(side)]->Increment();
  impl_->connections_opened[at(side)]->Increment();
}

void Metrics::connection_closed(Side side) {
  impl_->connections[at(side)]->Decrement();
}

void Metrics::handshake_failed() {
  impl_->handshakes_failed->Increment();
}

void Metrics::connection_turned_away() {
  impl_->turned_away->Increment();
}

void Metrics::config_reload(bool in_force) {
  impl_->config_reloads[in_force ? 1 : 0]->Increment();
}

void Metrics::batch(std::size_t texts, std::size_t tokens, Microseconds compute) {
  impl_->batches->Increment();
  impl_->texts->Increment(static_cast<double>(texts));
  impl_->tokens->Increment(static_cast<double>(tokens));
  impl_->batch_tokens->Observe(static_cast<double>(tokens));
  impl_->batch_seconds->Observe(seconds(compute));
}

void Metrics::queue(std::size_t texts, std::size_t tokens) {
  impl_->queued_texts->Set(static_cast<double>(texts));
  impl_->queued_tokens->Set(static_cast<double>(tokens));
}

void Metrics::cache(std::size_t hits, std::size_t misses) {
  impl_->cache_hits->Increment(static_cast<double>(hits));
  impl_->cache_misses->Increment(static_cast<double>(misses));
}

void Metrics::upstream(const UpstreamSample& now) {
  const std::lock_guard lock(impl_->upstreams_lock);
  const Impl::Upstream& its = impl_->upstream(now.url);
  its.up->Set(now.up ? 1 : 0);
  its.outstanding->Set(static_cast<double>(now.outstanding));
  its.connections->Set(static_cast<double>(now.connections));
  its.failures->Increment(static_cast<double>(now.failures) - its.failures->Value());
  its.ejections->Increment(static_cast<double>(now.ejections) - its.ejections->Value());
}

void Metrics::model(const std::string& name, reranker::ModelState state, std::uint64_t bytes) {
  const std::lock_guard lock(impl_->models_lock);
  const Impl::Model& its = impl_->model(name);
  for (std::size_t s = 0; s < kModelStates.size(); ++s) {
    its.states[s]->Set(kModelStates[s] == state ? 1 : 0);
  }
  its.bytes->Set(static_cast<double>(bytes));
}

std::string Metrics::text() const {
  impl_->log_dropped->Set(static_cast<double>(log::dropped_lines()));
  return prometheus::TextSerializer().Serialize(impl_->registry.Collect());
}

}  // namespace qrerank::proxy::observe
