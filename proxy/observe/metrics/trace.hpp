// Spans on their way to the collector (proxy/trace).
#pragma once

#include <cstdint>

#include "proxy/observe/registry.hpp"

namespace qrerank::proxy::observe::metrics {

class Trace {
 public:
  explicit Trace(Registry& registry)
      : sent_(registry.counter("qrerank_spans_sent_total", "Spans that the collector took.")),
        dropped_(registry.counter("qrerank_spans_dropped_total",
                                  "Spans lost because too many waited or the collector did not take them.")) {
  }

  /// Ever since the start.
  void spans(std::uint64_t sent, std::uint64_t dropped) {
    sent_.raise_to(static_cast<double>(sent));
    dropped_.raise_to(static_cast<double>(dropped));
  }

 private:
  Counter sent_;
  Counter dropped_;
};

}  // namespace qrerank::proxy::observe::metrics
