// Scores by word overlap, for people who test their own applications without a model. Not a judge of
// anything: it is named `mock` wherever it answers.
#pragma once

#include <string>
#include <vector>

#include "reranker/scorer.hpp"

namespace qrerank::reranker {

/// Thread-safe and without state: the same query and text always give the same logit. Answers from within
/// `submit`. A deadline that has passed gives `timeout`, another model's name `model_unavailable`.
///
/// A word is a run of letters and digits (any non-ASCII letter counts as one; punctuation and spaces of
/// Latin, General Punctuation and CJK separate), lower-cased for Latin-1, Greek and Cyrillic. With `n`
/// distinct query words of which `k` occur in the text, the logit is -4 + 8 k/n less up to half of one word's
/// step for a longer text: more words always win, shorter texts break ties.
class MockScorer : public Scorer {
 public:
  static constexpr const char* kName = "mock";

  [[nodiscard]] ScoreTicket submit(ScoreRequest request, ScoreCompletion done) override;
  [[nodiscard]] bool knows(const std::string& model) const override;
  [[nodiscard]] std::vector<ModelStatus> status() const override;
};

}  // namespace qrerank::reranker
