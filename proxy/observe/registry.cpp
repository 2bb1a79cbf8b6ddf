#include "proxy/observe/registry.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

namespace qrerank::proxy::observe {
namespace {

prometheus::Labels owned(Labels labels) {
  prometheus::Labels all;
  for (const Label& label : labels) all.emplace(label.name, label.value);
  return all;
}

}  // namespace

struct Registry::Impl {
  prometheus::Registry series;  // a family that is there already is given again
};

Registry::Registry() : impl_(std::make_unique<Impl>()) {}
Registry::~Registry() = default;

Counter Registry::counter(std::string_view name, std::string_view help, Labels labels) {
  auto& family =
      prometheus::BuildCounter().Name(std::string(name)).Help(std::string(help)).Register(impl_->series);
  return Counter(family.Add(owned(labels)));
}

Gauge Registry::gauge(std::string_view name, std::string_view help, Labels labels) {
  auto& family =
      prometheus::BuildGauge().Name(std::string(name)).Help(std::string(help)).Register(impl_->series);
  return Gauge(family.Add(owned(labels)));
}

Histogram Registry::histogram(std::string_view name, std::string_view help, const std::vector<double>& bounds,
                              Labels labels) {
  auto& family =
      prometheus::BuildHistogram().Name(std::string(name)).Help(std::string(help)).Register(impl_->series);
  return Histogram(family.Add(owned(labels), bounds));
}

std::string Registry::text() const {
  return prometheus::TextSerializer().Serialize(impl_->series.Collect());
}

void Counter::add(double amount) {
  series_->Increment(amount);
}
void Counter::raise_to(double total) {
  series_->Increment(total - series_->Value());  // a negative amount is ignored there
}

void Gauge::set(double value) {
  series_->Set(value);
}
void Gauge::add(double amount) {
  series_->Increment(amount);
}

void Histogram::observe(double value) {
  series_->Observe(value);
}
void Histogram::observe(std::chrono::microseconds time) {
  series_->Observe(std::chrono::duration<double>(time).count());
}

const std::vector<double>& duration_bounds() {
  static const std::vector<double> bounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                             0.25,   0.5,   1,      2.5,   5,    10,    30,   60};
  return bounds;
}

}  // namespace qrerank::proxy::observe
