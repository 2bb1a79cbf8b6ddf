#include "reranker/scheduler/batch_former.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace qrerank::reranker::scheduler {
namespace {

struct Request {
  std::size_t arrival = 0;
  std::vector<std::size_t> texts;  // longest first; taken ones are removed
  std::size_t tokens = 0;          // left to compute
};

// Equally long ones in order of arrival.
void sort_longest_first(std::vector<std::size_t>& texts, std::span<const WaitingText> waiting) {
  std::ranges::sort(texts, [&](std::size_t a, std::size_t b) {
    return std::pair(waiting[b].tokens, a) < std::pair(waiting[a].tokens, b);
  });
}

class Former {
 public:
  Former(std::span<const WaitingText> waiting, std::size_t budget) : waiting_(waiting), budget_(budget) {}

  // Takes what fits of the request's texts while the batch stays within `limit`.
  void take(Request& request, std::size_t limit) {
    std::erase_if(request.texts, [&](std::size_t index) {
      const std::size_t cost = cost_of(index);
      // Written so that no sum can overflow. The first text of a batch always goes, whatever its size.
      const bool fits = batch_.tokens <= limit && cost <= limit - batch_.tokens;
      if (!fits && !batch_.chosen.empty()) {
        return false;
      }
      add(index, cost);
      request.tokens -= waiting_[index].tokens;
      return true;
    });
  }

  [[nodiscard]] bool full() const { return batch_.tokens >= budget_; }

  FormedBatch finish() && {
    sort_longest_first(batch_.chosen, waiting_);
    return std::move(batch_);
  }

 private:
  [[nodiscard]] std::size_t cost_of(std::size_t index) const {
    const WaitingText& text = waiting_[index];
    const bool new_prefix = text.prefix != nullptr && !prefixes_.contains(text.prefix);
    return text.tokens + (new_prefix ? text.prefix_tokens : 0);
  }

  void add(std::size_t index, std::size_t cost) {
    batch_.chosen.push_back(index);
    batch_.tokens += cost;
    if (waiting_[index].prefix != nullptr) {
      prefixes_.insert(waiting_[index].prefix);
    }
  }

  std::span<const WaitingText> waiting_;
  std::size_t budget_;
  std::unordered_set<const void*> prefixes_;
  FormedBatch batch_;
};

}  // namespace

FormedBatch form_batch(std::span<const WaitingText> waiting, std::size_t budget, Clock::time_point now) {
  std::vector<Request> requests;  // in order of arrival
  std::unordered_map<std::uint64_t, std::size_t> place;
  std::vector<std::size_t> dropped;
  for (std::size_t index = 0; index < waiting.size(); ++index) {
    const WaitingText& text = waiting[index];
    if (text.cancelled || text.deadline <= now) {
      dropped.push_back(index);
      continue;
    }
    const auto [at, added] = place.try_emplace(text.request, requests.size());
    if (added) {
      requests.emplace_back().arrival = index;
    }
    requests[at->second].texts.push_back(index);
    requests[at->second].tokens += text.tokens;
  }
  for (Request& request : requests) {
    sort_longest_first(request.texts, waiting);
  }

  Former former(waiting, budget);
  for (Request& request : requests) {
    former.take(request, budget / 2);
  }
  std::ranges::sort(requests, {},
                    [](const Request& request) { return std::pair(request.tokens, request.arrival); });
  for (Request& request : requests) {
    if (former.full()) {
      break;
    }
    former.take(request, budget);
  }
  FormedBatch batch = std::move(former).finish();
  batch.dropped = std::move(dropped);
  return batch;
}

}  // namespace qrerank::reranker::scheduler
