// Which models are in memory (reranker/manager).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "proxy/observe/registry.hpp"
#include "reranker/scorer.hpp"

namespace qrerank::proxy::observe::metrics {

class Models {
 public:
  explicit Models(Registry& registry);

  /// A configured model's state now, and the bytes of weights given to it.
  void model(const std::string& name, reranker::ModelState state, std::uint64_t bytes);
  void loaded(const std::string& name, bool succeeded, std::chrono::microseconds took);

 private:
  struct Series {
    std::vector<Gauge> states;
    Gauge bytes;
    Counter loads;
    Counter loads_failed;
  };
  Series& series(const std::string& name);

  Registry& registry_;
  Histogram load_seconds_;
  std::mutex guard_;                      // of models_
  std::map<std::string, Series> models_;  // as many as are configured
};

}  // namespace qrerank::proxy::observe::metrics
