// Counters of one name, one for each value of a label from a closed set.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "proxy/observe/registry.hpp"

namespace qrerank::proxy::observe::metrics {

class CountersByLabel {
 public:
  CountersByLabel(Registry& registry, std::string_view name, std::string_view help, std::string_view label,
                  std::span<const std::string_view> values) {
    for (const auto value : values) counters_.emplace(value, registry.counter(name, help, {{label, value}}));
  }

  /// A value outside the set throws std::invalid_argument: our bug.
  Counter& operator[](std::string_view value) {
    const auto found = counters_.find(value);
    if (found == counters_.end())
      throw std::invalid_argument("not a label of the closed set: " + std::string(value));
    return found->second;
  }

 private:
  std::map<std::string, Counter, std::less<>> counters_;
};

}  // namespace qrerank::proxy::observe::metrics
