#include "reranker/model/prefix_kv.hpp"

#include <utility>

namespace qrerank::reranker::model {

std::size_t PrefixKv::bytes() const {
  std::size_t sum = 0;
  for (const auto& layer : layers) sum += static_cast<std::size_t>(layer.numel()) * layer.element_size();
  return sum;
}

std::shared_ptr<const PrefixKv> PrefixCache::find(const std::vector<std::int32_t>& ids) {
  const auto at = places_.find(ids);
  if (at == places_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, at->second);
  at->second->batch = batch_;
  return at->second->kv;
}

void PrefixCache::insert(const std::vector<std::int32_t>& ids, std::shared_ptr<const PrefixKv> kv) {
  if (places_.contains(ids)) return;
  bytes_ += kv->bytes();
  entries_.push_front({.ids = ids, .kv = std::move(kv), .batch = batch_});
  places_.emplace(ids, entries_.begin());
}

void PrefixCache::end_batch() {
  while (bytes_ > most_bytes_ && entries_.back().batch != batch_) drop_last();
  ++batch_;
}

void PrefixCache::drop_last() {
  bytes_ -= entries_.back().kv->bytes();
  places_.erase(entries_.back().ids);
  entries_.pop_back();
}

void PrefixCache::clear() {
  places_.clear();
  entries_.clear();
  bytes_ = 0;
}

}  // namespace qrerank::reranker::model
