// Vectors that were made before. Bounded in bytes; knows nothing of models and requests.
#pragma once

#include <cstddef>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "reranker/score_cache.hpp"

namespace qrerank::reranker {

/// The least recently used go first. Thread-safe.
class VectorCache {
 public:
  /// What an entry costs beside its numbers.
  static constexpr std::size_t kEntryBytes = 208;

  explicit VectorCache(std::size_t max_bytes) : max_bytes_(max_bytes) {}

  [[nodiscard]] std::optional<std::vector<float>> find(const ScoreKey& key);
  void insert(const ScoreKey& key, const std::vector<float>& vector);

 private:
  struct Entry {
    ScoreKey key;
    std::vector<float> vector;
    [[nodiscard]] std::size_t bytes() const { return kEntryBytes + vector.size() * sizeof(float); }
  };

  const std::size_t max_bytes_;

  std::mutex mutex_;         // guards all below
  std::list<Entry> recent_;  // most recent first
  std::map<ScoreKey, std::list<Entry>::iterator> index_;
  std::size_t bytes_ = 0;
};

}  // namespace qrerank::reranker
