// Equal prefixes of different requests as one object, so that they are computed once. Torch-free.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "reranker/model/model.hpp"

namespace qrerank::reranker::model {

/// Thread-safe. Keeps nothing alive by itself.
class PrefixPool {
 public:
  PrefixPool() : state_(std::make_unique<State>()) {}

  /// A prefix with these tokens: the one that lives already, or this one. Type ids are not looked at:
  /// families with prefixes have none.
  [[nodiscard]] std::shared_ptr<const Sequence> intern(Sequence prefix) const;

  /// Prefixes that are remembered, dead ones included until the next sweep.
  [[nodiscard]] std::size_t remembered() const;

 private:
  struct State {
    std::mutex mutex;
    std::map<std::vector<std::int32_t>, std::weak_ptr<const Sequence>> known;
    std::size_t sweep_at = 16;  ///< entries; doubled over what a sweep leaves
  };
  std::unique_ptr<State> state_;  // so that owners can move
};

}  // namespace qrerank::reranker::model
