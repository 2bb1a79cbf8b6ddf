#include "proxy/eval/metrics.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <unordered_map>

namespace qrerank::proxy::eval {
namespace {

double discounted(std::span<const int> gains) {
  double sum = 0;
  for (std::size_t at = 0; at < gains.size(); ++at) sum += gains[at] / std::log2(static_cast<double>(at) + 2);
  return sum;
}

int gain_of(const Judgements& judged, const std::string& id) {
  const auto found = judged.find(id);
  return found == judged.end() ? 0 : std::max(0, found->second);
}

std::size_t count_relevant(const Judgements& judged) {
  return static_cast<std::size_t>(
      std::ranges::count_if(judged, [](const auto& entry) { return entry.second > 0; }));
}

std::span<const std::string> first(const Ranking& ranking, std::size_t count) {
  return std::span(ranking).first(std::min(count, ranking.size()));
}

}  // namespace

Quality quality_of(const Ranking& ranking, const Judgements& judged) {
  if (count_relevant(judged) == 0) return {};
  Quality quality;
  std::vector<int> gains;
  for (const auto& id : first(ranking, kDepth)) gains.push_back(gain_of(judged, id));
  std::vector<int> ideal;
  for (const auto& [id, judgement] : judged) ideal.push_back(std::max(0, judgement));
  std::ranges::sort(ideal, std::greater<>());
  ideal.resize(std::min(ideal.size(), kDepth));
  quality.ndcg = discounted(gains) / discounted(ideal);
  const auto hit = std::ranges::find_if(gains, [](int gain) { return gain > 0; });
  if (hit != gains.end()) quality.mrr = 1.0 / static_cast<double>(hit - gains.begin() + 1);
  quality.success = hit == gains.begin() && hit != gains.end() ? 1 : 0;
  quality.recall = recall_at(ranking, judged, kDepth);
  return quality;
}

double recall_at(const Ranking& ranking, const Judgements& judged, std::size_t depth) {
  const auto relevant = count_relevant(judged);
  const auto found = std::ranges::count_if(first(ranking, depth),
                                           [&](const std::string& id) { return gain_of(judged, id) > 0; });
  return relevant == 0 ? 0 : static_cast<double>(found) / static_cast<double>(relevant);
}

Change change_between(const Ranking& before, const Ranking& after) {
  Change change;
  const auto old_first = first(before, kDepth);
  const auto new_first = first(after, kDepth);
  const auto kept = std::ranges::count_if(
      old_first, [&](const std::string& id) { return std::ranges::find(new_first, id) != new_first.end(); });
  if (!old_first.empty()) change.overlap = static_cast<double>(kept) / static_cast<double>(old_first.size());
  change.first_moved =
      !before.empty() && !after.empty() ? before[0] != after[0] : before.empty() != after.empty();

  std::unordered_map<std::string, std::size_t> new_place;
  for (std::size_t at = 0; at < after.size(); ++at) new_place.emplace(after[at], at);
  std::vector<std::size_t> places;  // in the old order
  for (const auto& id : before) {
    if (const auto found = new_place.find(id); found != new_place.end()) places.push_back(found->second);
  }
  std::size_t turned = 0;  // pairs that changed sides; at most 200 places, so the plain way
  for (std::size_t one = 0; one < places.size(); ++one) {
    for (std::size_t other = one + 1; other < places.size(); ++other) turned += places[one] > places[other];
  }
  const auto count = static_cast<double>(places.size());
  if (places.size() > 1) change.kendall = 1 - 4 * static_cast<double>(turned) / (count * (count - 1));
  return change;
}

}  // namespace qrerank::proxy::eval
