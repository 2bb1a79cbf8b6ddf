// Sends spans to a collector, in batches, from a thread of its own. What does not fit or cannot be sent is
// dropped and counted: no request waits for it or fails by it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "proxy/config/config.hpp"
#include "proxy/trace/tracer.hpp"

namespace qrerank::proxy::trace {

class Exporter final : public SpanSink {
 public:
  /// Spans that wait; beyond it new ones are dropped.
  static constexpr std::size_t kMaxWaiting = 4096;
  static constexpr std::size_t kMaxBatch = 512;

  /// Starts the thread.
  Exporter(const config::Tracing& settings, std::string version);
  /// Sends what waits, for two seconds at most.
  ~Exporter() override;

  void take(std::vector<Span> spans) override;

  struct Counters {
    std::uint64_t sent = 0;
    std::uint64_t dropped = 0;
  };
  [[nodiscard]] Counters counters() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace qrerank::proxy::trace
