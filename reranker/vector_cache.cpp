#include "reranker/vector_cache.hpp"

namespace qrerank::reranker {

std::optional<std::vector<float>> VectorCache::find(const ScoreKey& key) {
  const std::lock_guard lock(mutex_);
  const auto at = index_.find(key);
  if (at == index_.end()) {
    return std::nullopt;
  }
  recent_.splice(recent_.begin(), recent_, at->second);
  return at->second->vector;
}

void VectorCache::insert(const ScoreKey& key, const std::vector<float>& vector) {
  const std::lock_guard lock(mutex_);
  if (index_.contains(key)) {
    return;  // equal keys mean equal vectors
  }
  recent_.push_front({key, vector});
  index_.emplace(key, recent_.begin());
  bytes_ += recent_.front().bytes();
  while (bytes_ > max_bytes_) {
    bytes_ -= recent_.back().bytes();
    index_.erase(recent_.back().key);
    recent_.pop_back();
  }
}

}  // namespace qrerank::reranker
