// The order of the returned points: from vector scores and logits to a ranked page. Pure arithmetic; no JSON
// but the spelling of the two new numbers. Points in groups are ordered by group_order.hpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "proxy/rewrite/plan.hpp"

namespace qrerank::proxy::rewrite {

struct CandidateSet;

/// A finite double in the shortest decimal spelling that reads back as the same double, valid as JSON; a
/// whole number carries ".0" as Qdrant's do. Held inline.
class ScoreText {
 public:
  ScoreText() = default;
  /// Throws std::invalid_argument for NaN and infinities.
  explicit ScoreText(double value);
  [[nodiscard]] std::string_view view() const { return {text_.data(), size_}; }
  [[nodiscard]] bool empty() const { return size_ == 0; }

 private:
  std::array<char, 31> text_{};
  std::uint8_t size_ = 0;
};

/// What is known of one candidate.
struct Judged {
  std::optional<double> vector_score;  ///< none: Qdrant's is null, absent or not finite
  std::optional<double> logit;         ///< none: not sent to the model. Must be finite
};

/// How to order and what to return.
struct RankRule {
  double weight = 1;                               ///< 0..1, of the model; see rank()
  std::optional<double> threshold = std::nullopt;  ///< least final score
  std::uint64_t top_k = 50;                        ///< the candidates from here on are "beyond": never scored
  std::uint64_t offset = 0;
  std::uint64_t limit = 10;

  static RankRule of(const SearchPlan& plan);
};

/// One returned point.
struct Ranked {
  std::size_t hit = 0;     ///< index among the candidates
  ScoreText score;         ///< empty: Qdrant's own score stays
  ScoreText rerank_score;  ///< empty: not scored
};

/// Whether a smaller vector score is the better one, read from the candidates' own order: the first known
/// score is the least and not also the greatest of them. (Qdrant's answer does not name the distance. An MMR
/// answer is not sorted, but begins with the most relevant point, which has the extreme score. A first score
/// that is neither, e.g. after a formula, is taken as "larger is better".)
bool smaller_is_better(std::span<const Judged> candidates);

/// The final score of each candidate, none where it was not scored; how it comes about is told at rank().
/// Throws as rank() does for a logit that is not finite or a weight outside 0..1.
std::vector<std::optional<double>> final_scores(std::span<const Judged> candidates, double weight);

/// Orders the candidates (given in vector order) and cuts the page out.
///
/// 1. Scored ones (a logit, index below top_k), by their final score as printed, greatest first, equal ones
/// in vector
///    order. Final score at weight 1: sigmoid(logit). Below 1: sigmoid(w·z(logit) + (1−w)·z(v)), z over the
///    scored candidates with the population deviation, 0 where all are equal; v is the vector score, negated
///    where smaller is better, an unknown one counting as the lowest of the scored ones (all unknown: equal).
///    At weight 0 they keep vector order also where the vector scores do not follow it (MMR).
/// 2. Unscored ones below top_k, in vector order; 3. those from top_k on, in vector order.
/// A threshold drops the scored ones whose final score is less, and all of 2 and 3. Then offset and limit.
///
/// Throws std::invalid_argument for a logit that is not finite, one at or beyond top_k, or a weight outside
/// 0..1: the caller's bug.
std::vector<Ranked> rank(std::span<const Judged> candidates, const RankRule& rule);

/// The client's own page, for a fallback: vector order, offset and limit, Qdrant's scores.
std::vector<Ranked> vector_page(std::size_t candidates, std::uint64_t offset, std::uint64_t limit);

/// The candidates that go to the model, as indices: those with text among the first `top_k` different
/// points, each point once.
std::vector<std::size_t> scorable(const CandidateSet& set, std::uint64_t top_k);

/// Joins logits, one per index of scorable(), to the candidates; a point that stands there again has its
/// logit again. Throws std::invalid_argument on a wrong count.
std::vector<Judged> judge(const CandidateSet& set, std::uint64_t top_k, std::span<const double> logits);

}  // namespace qrerank::proxy::rewrite
