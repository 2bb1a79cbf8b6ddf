#include "reranker/model/prefix_pool.hpp"

#include <algorithm>
#include <utility>

namespace qrerank::reranker::model {

std::shared_ptr<const Sequence> PrefixPool::intern(Sequence prefix) const {
  const std::lock_guard lock(state_->mutex);
  auto& known = state_->known;
  if (known.size() >= state_->sweep_at) {
    std::erase_if(known, [](const auto& entry) { return entry.second.expired(); });
    state_->sweep_at = std::max<std::size_t>(16, 2 * known.size());
  }
  auto& slot = known[prefix.ids];
  if (auto living = slot.lock()) return living;
  auto fresh = std::make_shared<const Sequence>(std::move(prefix));
  slot = fresh;
  return fresh;
}

std::size_t PrefixPool::remembered() const {
  const std::lock_guard lock(state_->mutex);
  return state_->known.size();
}

}  // namespace qrerank::reranker::model
