#include "proxy/rewrite/order.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>
#include <stdexcept>

#include "proxy/rewrite/candidates.hpp"
#include "reranker/types.hpp"

namespace qrerank::proxy::rewrite {
namespace {

/// z-scores with the population deviation; all 0 where all values are equal.
std::vector<double> z_scores(std::vector<double> values) {
  const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
  if (values.empty() || *least == *greatest) {
    // By comparison: no rounded mean can leave a deviation to divide by, and no zeros reach the scaling.
    return std::vector<double>(values.size(), 0.0);
  }
  // z-scores do not change with the scale, and squares of scaled values cannot overflow.
  const double scale = std::max(std::abs(*least), std::abs(*greatest));
  for (double& value : values) {
    value /= scale;
  }
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double squares = 0;
  for (double& value : values) {
    value -= mean;
    squares += value * value;
  }
  const double deviation = std::sqrt(squares / count);
  for (double& value : values) {
    value /= deviation;  // not 0: they differ, and are scaled to 1
  }
  return values;
}

/// The scored candidates' vector scores, greater is better, an unknown one as the lowest.
std::vector<double> oriented(std::span<const Judged> candidates, std::span<const std::size_t> scored) {
  const double sign = smaller_is_better(candidates) ? -1.0 : 1.0;
  std::optional<double> lowest;
  for (const std::size_t hit : scored) {
    if (const auto& score = candidates[hit].vector_score) {
      lowest = std::min(lowest.value_or(sign * *score), sign * *score);
    }
  }
  std::vector<double> values;
  values.reserve(scored.size());
  for (const std::size_t hit : scored) {
    const auto& score = candidates[hit].vector_score;
    values.push_back(score ? sign * *score : lowest.value_or(0.0));
  }
  return values;
}

}  // namespace

ScoreText::ScoreText(double value) {
  if (!std::isfinite(value)) {
    throw std::invalid_argument("a score that is not finite");
  }
  // Leaves room for ".0"; the longest double takes 24 characters.
  char* const begin = text_.data();
  const auto [end, code] = std::to_chars(begin, begin + text_.size() - 2, value);
  if (code != std::errc()) {
    throw std::logic_error("a double did not fit");
  }
  char* last = end;
  if (std::none_of(begin, end, [](char c) { return c == '.' || c == 'e'; })) {
    *last++ = '.';
    *last++ = '0';
  }
  size_ = static_cast<std::uint8_t>(last - begin);
}

RankRule RankRule::of(const SearchPlan& plan) {
  return {.weight = plan.options.weight.value_or(1.0),
          .threshold = plan.options.score_threshold,
          .top_k = plan.top_k,
          .offset = plan.offset,
          .limit = plan.limit};
}

bool smaller_is_better(std::span<const Judged> candidates) {
  std::optional<double> first;
  bool least = true;
  bool greatest = true;
  for (const Judged& candidate : candidates) {
    if (!candidate.vector_score) {
      continue;
    }
    const double score = *candidate.vector_score;
    first = first.value_or(score);
    least = least && *first <= score;
    greatest = greatest && *first >= score;
  }
  return least && !greatest;
}

std::vector<std::optional<double>> final_scores(std::span<const Judged> candidates, double weight) {
  if (!(weight >= 0 && weight <= 1)) {
    throw std::invalid_argument("a weight outside 0..1");
  }
  std::vector<std::size_t> scored;
  std::vector<double> logits;
  for (std::size_t hit = 0; hit < candidates.size(); ++hit) {
    if (const auto& logit = candidates[hit].logit) {
      if (!std::isfinite(*logit)) {
        throw std::invalid_argument("a logit that is not finite");
      }
      scored.push_back(hit);
      logits.push_back(*logit);
    }
  }
  std::vector<std::optional<double>> finals(candidates.size());
  if (weight == 1) {
    for (std::size_t i = 0; i < scored.size(); ++i) {
      finals[scored[i]] = reranker::sigmoid(logits[i]);
    }
    return finals;
  }
  const std::vector<double> model = z_scores(std::move(logits));
  const std::vector<double> vector = z_scores(oriented(candidates, scored));
  for (std::size_t i = 0; i < scored.size(); ++i) {
    finals[scored[i]] = reranker::sigmoid(weight * model[i] + (1 - weight) * vector[i]);
  }
  return finals;
}

std::vector<Ranked> rank(std::span<const Judged> candidates, const RankRule& rule) {
  const std::vector<std::optional<double>> finals = final_scores(candidates, rule.weight);
  std::vector<std::size_t> scored;
  for (std::size_t hit = 0; hit < candidates.size(); ++hit) {
    if (finals[hit]) {
      if (hit >= rule.top_k) {
        throw std::invalid_argument("a logit beyond top_k");
      }
      scored.push_back(hit);
    }
  }
  if (rule.weight > 0) {
    // The shortest spelling reads back as the same double: comparing doubles is comparing what is printed.
    std::sort(scored.begin(), scored.end(), [&](std::size_t a, std::size_t b) {
      return *finals[a] != *finals[b] ? *finals[a] > *finals[b] : a < b;
    });
  }

  std::uint64_t skip = rule.offset;
  std::vector<Ranked> page;
  const auto place = [&](const Ranked& ranked) {
    if (skip > 0) {
      --skip;
    } else if (page.size() < rule.limit) {
      page.push_back(ranked);
    }
  };
  for (const std::size_t hit : scored) {
    if (!rule.threshold || *finals[hit] >= *rule.threshold) {
      place({.hit = hit,
             .score = ScoreText(*finals[hit]),
             .rerank_score = ScoreText(reranker::sigmoid(*candidates[hit].logit))});
    }
  }
  if (!rule.threshold) {
    // Those beyond top_k have no logit and the greater indices: one pass in vector order places both groups.
    for (std::size_t hit = 0; hit < candidates.size(); ++hit) {
      if (!candidates[hit].logit) {
        place({.hit = hit, .score = {}, .rerank_score = {}});
      }
    }
  }
  return page;
}

std::vector<Ranked> vector_page(std::size_t candidates, std::uint64_t offset, std::uint64_t limit) {
  std::vector<Ranked> page;
  for (std::uint64_t hit = offset; hit < candidates && page.size() < limit; ++hit) {
    page.push_back({.hit = static_cast<std::size_t>(hit), .score = {}, .rerank_score = {}});
  }
  return page;
}

std::vector<std::size_t> scorable(const CandidateSet& set, std::uint64_t top_k) {
  std::vector<std::size_t> hits;
  for (std::size_t hit = 0; hit < set.candidates.size(); ++hit) {
    const Candidate& candidate = set.candidates[hit];
    if (candidate.first == hit && candidate.place < top_k && candidate.has_text()) {
      hits.push_back(hit);
    }
  }
  return hits;
}

std::vector<Judged> judge(const CandidateSet& set, std::uint64_t top_k, std::span<const double> logits) {
  const std::vector<std::size_t> scored = scorable(set, top_k);
  if (scored.size() != logits.size()) {
    throw std::invalid_argument("as many logits as scorable candidates are needed");
  }
  std::vector<Judged> judged(set.candidates.size());
  for (std::size_t hit = 0; hit < judged.size(); ++hit) {
    judged[hit].vector_score = set.candidates[hit].vector_score;
  }
  for (std::size_t i = 0; i < scored.size(); ++i) {
    judged[scored[i]].logit = logits[i];
  }
  for (std::size_t hit = 0; hit < judged.size(); ++hit) {
    judged[hit].logit = judged[set.candidates[hit].first].logit;
  }
  return judged;
}

}  // namespace qrerank::proxy::rewrite
