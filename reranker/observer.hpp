// What the reranker tells about itself while it works; metrics and logs are made of it elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "reranker/scorer.hpp"

namespace qrerank::reranker {

/// One call of a model.
struct BatchReport {
  std::size_t items = 0;     ///< texts
  std::size_t requests = 0;  ///< distinct requests among them
  std::size_t tokens = 0;    ///< computed: each distinct prefix once, those that the model keeps not at all
  std::size_t budget = 0;    ///< tokens allowed when it was formed: by memory, setting and time
};

/// Called from the scorer's threads, some calls under its locks: be quick, do not throw, never call back into
/// the scorer. Must outlive the scorers that know it. `model` is the configured name.
class Observer {
 public:
  virtual ~Observer() = default;

  virtual void batch_formed(const std::string& /*model*/, const BatchReport& /*batch*/) {}
  virtual void batch_computed(const std::string& /*model*/, const BatchReport& /*batch*/,
                              Microseconds /*took*/) {}
  /// Memory ran out; `budget` is the halved one.
  virtual void budget_halved(const std::string& /*model*/, std::size_t /*budget*/) {}
  /// What waits for a batch, after each change. In order.
  virtual void queue_changed(const std::string& /*model*/, std::size_t /*texts*/, std::size_t /*tokens*/) {}
  virtual void cache_looked_up(const std::string& /*model*/, std::size_t /*hits*/, std::size_t /*misses*/) {}
  /// A model's state, and the bytes of weights given to it on all devices; after each change, in order, and
  /// once at the start.
  virtual void model_changed(const std::string& /*model*/, ModelState /*state*/, std::uint64_t /*bytes*/) {}
  /// `why` it failed; empty where it was loaded.
  virtual void load_finished(const std::string& /*model*/, bool /*loaded*/, const std::string& /*why*/,
                             Microseconds /*took*/) {}
};

}  // namespace qrerank::reranker
