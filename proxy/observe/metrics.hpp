// Everything that is counted: one registry, one struct for each room that counts (metrics/), so that a room's
// code sees only its own. Names, labels and meanings stand there and, checked by a test, in docs/metrics.md.
// Labels come from closed sets or from the configuration, so the number of series is fixed when the program
// starts. All of it is thread-safe.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "proxy/observe/metrics/http.hpp"
#include "proxy/observe/metrics/inference.hpp"
#include "proxy/observe/metrics/models.hpp"
#include "proxy/observe/metrics/program.hpp"
#include "proxy/observe/metrics/relays.hpp"
#include "proxy/observe/metrics/rerank.hpp"
#include "proxy/observe/metrics/scoring.hpp"
#include "proxy/observe/metrics/trace.hpp"
#include "proxy/observe/metrics/upstream.hpp"
#include "proxy/observe/registry.hpp"

namespace qrerank::proxy::observe {

struct Metrics {
  /// The closed sets of labels that belong to other rooms.
  struct Sets {
    std::span<const std::string_view> reasons;  ///< of fallbacks, and of vectors not made
    std::span<const std::string_view> limits;   ///< settings that a client can run into
    std::span<const std::string_view> upstream_errors;
  };
  Metrics(const Sets& sets, const metrics::Build& build)
      : http(registry, sets.limits),
        upstream(registry, sets.upstream_errors),
        relays(registry),
        rerank(registry, sets.reasons),
        inference(registry, sets.reasons),
        scoring(registry),
        models(registry),
        trace(registry),
        program(registry, build) {}
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  /// What Prometheus reads, with the process as it is now.
  [[nodiscard]] std::string text() {
    program.sample();
    return registry.text();
  }

  Registry registry;
  metrics::Http http;
  metrics::Upstream upstream;
  metrics::Relays relays;
  metrics::Rerank rerank;
  metrics::Inference inference;
  metrics::Scoring scoring;
  metrics::Models models;
  metrics::Trace trace;
  metrics::Program program;
};

}  // namespace qrerank::proxy::observe
