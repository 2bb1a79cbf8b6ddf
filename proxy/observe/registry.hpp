// Counters, gauges and histograms by name, and the page that Prometheus reads of them. What is counted stands
// in metrics/, one struct a room; the library behind stays in registry.cpp.
#pragma once

#include <chrono>
#include <cstddef>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace qrerank::proxy::observe {

/// A series that only grows. Thread-safe, an atomic addition. Copies are the same series; lives as long as
/// its registry.
class Counter {
 public:
  explicit Counter(prometheus::Counter& series) : series_(&series) {}
  void add(double amount = 1);
  /// Of what is counted elsewhere: `total` now. A smaller one changes nothing. One thread at a time.
  void raise_to(double total);

 private:
  prometheus::Counter* series_;
};

/// A series that goes up and down. As Counter.
class Gauge {
 public:
  explicit Gauge(prometheus::Gauge& series) : series_(&series) {}
  void set(double value);
  void add(double amount);

 private:
  prometheus::Gauge* series_;
};

/// How often which sizes occurred. As Counter, but an event costs a short lock.
class Histogram {
 public:
  explicit Histogram(prometheus::Histogram& series) : series_(&series) {}
  void observe(double value);
  /// In seconds.
  void observe(std::chrono::microseconds time);

 private:
  prometheus::Histogram* series_;
};

struct Label {
  std::string_view name;
  std::string_view value;
};
using Labels = std::initializer_list<Label>;

class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// The series of that name with these labels, made when it is first asked for. A name has one type and one
  /// help, the same at each call. Thread-safe.
  Counter counter(std::string_view name, std::string_view help, Labels labels = {});
  Gauge gauge(std::string_view name, std::string_view help, Labels labels = {});
  /// `bounds`: upper ones of the buckets, rising.
  Histogram histogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                      Labels labels = {});

  /// Prometheus' text format, content type kContentType.
  [[nodiscard]] std::string text() const;
  static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Bounds for durations, in seconds: a cached answer takes under a millisecond, a large model on a CPU tens
/// of seconds.
const std::vector<double>& duration_bounds();

}  // namespace qrerank::proxy::observe
