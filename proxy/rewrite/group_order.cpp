#include "proxy/rewrite/group_order.hpp"

#include <algorithm>
#include <optional>

#include "reranker/types.hpp"

namespace qrerank::proxy::rewrite {
namespace {

/// One group with its hits in their new order, those that a threshold drops left out.
struct OrderedGroup {
  std::size_t group = 0;
  std::vector<std::size_t> hits;
  std::optional<double> best;  ///< of its scored hits
};

/// Final scores of all hits; a point in several groups counts once and has one score.
std::vector<std::optional<double>> scores_by_point(const CandidateSet& set, std::span<const Judged> judged,
                                                   double weight) {
  std::vector<Judged> points;
  std::vector<std::size_t> point_of(judged.size());
  points.reserve(judged.size());
  for (std::size_t hit = 0; hit < judged.size(); ++hit) {
    const std::size_t first = set.candidates[hit].first;
    point_of[hit] = first == hit ? points.size() : point_of[first];
    if (first == hit) {
      points.push_back(judged[hit]);
    }
  }
  const std::vector<std::optional<double>> finals = final_scores(points, weight);
  std::vector<std::optional<double>> scores(judged.size());
  for (std::size_t hit = 0; hit < judged.size(); ++hit) {
    scores[hit] = finals[point_of[hit]];
  }
  return scores;
}

/// What a hit or a group is ordered by.
struct Standing {
  std::optional<double> score;
  std::size_t place = 0;  ///< in Qdrant's order
};

/// Greatest first (at weight 0 as they were), the unscored behind, what is equal as it was.
bool comes_first(const Standing& a, const Standing& b, double weight) {
  if (a.score.has_value() != b.score.has_value()) {
    return a.score.has_value();
  }
  return weight > 0 && a.score != b.score ? a.score > b.score : a.place < b.place;
}

OrderedGroup ordered(const Group& group, std::size_t index, std::span<const std::optional<double>> scores,
                     const RankRule& rule) {
  OrderedGroup result{.group = index, .hits = {}, .best = std::nullopt};
  for (std::size_t hit = group.first_hit; hit < group.first_hit + group.hit_count; ++hit) {
    if (!rule.threshold || (scores[hit] && *scores[hit] >= *rule.threshold)) {
      result.hits.push_back(hit);
      result.best = std::max(result.best, scores[hit]);
    }
  }
  std::sort(result.hits.begin(), result.hits.end(), [&](std::size_t x, std::size_t y) {
    return comes_first({scores[x], x}, {scores[y], y}, rule.weight);
  });
  return result;
}

Page reranked_groups(const CandidateSet& set, std::span<const Judged> judged, const SearchPlan& plan) {
  const RankRule rule = RankRule::of(plan);
  const std::vector<std::optional<double>> scores = scores_by_point(set, judged, rule.weight);
  std::vector<OrderedGroup> groups;
  groups.reserve(set.groups.size());
  for (std::size_t i = 0; i < set.groups.size(); ++i) {
    OrderedGroup group = ordered(set.groups[i], i, scores, rule);
    if (!group.hits.empty()) {
      groups.push_back(std::move(group));
    }
  }
  std::sort(groups.begin(), groups.end(), [&](const OrderedGroup& x, const OrderedGroup& y) {
    return comes_first({x.best, x.group}, {y.best, y.group}, rule.weight);
  });

  Page page;
  for (const OrderedGroup& group : groups) {
    if (page.groups.size() == plan.limit) {
      break;
    }
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(group.hits.size(), plan.group_size));
    page.groups.push_back({.group = group.group, .hits = count});
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t hit = group.hits[i];
      Ranked& ranked = page.hits.emplace_back();
      ranked.hit = hit;
      if (scores[hit]) {
        ranked.score = ScoreText(*scores[hit]);
        ranked.rerank_score = ScoreText(reranker::sigmoid(*judged[hit].logit));
      }
    }
  }
  return page;
}

}  // namespace

Page reranked_page(const CandidateSet& set, std::span<const Judged> judged, const SearchPlan& plan) {
  if (set.layout == HitLayout::groups) {
    return reranked_groups(set, judged, plan);
  }
  return {.hits = rank(judged, RankRule::of(plan)), .groups = {}};
}

Page own_page(const CandidateSet& set, const SearchPlan& plan) {
  if (set.layout != HitLayout::groups) {
    return {.hits = vector_page(set.candidates.size(), plan.offset, plan.limit), .groups = {}};
  }
  Page page;
  for (std::size_t i = 0; i < set.groups.size() && i < plan.limit; ++i) {
    const Group& group = set.groups[i];
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(group.hit_count, plan.group_size));
    page.groups.push_back({.group = i, .hits = count});
    for (std::size_t hit = 0; hit < count; ++hit) {
      page.hits.push_back({.hit = group.first_hit + hit, .score = {}, .rerank_score = {}});
    }
  }
  return page;
}

}  // namespace qrerank::proxy::rewrite
