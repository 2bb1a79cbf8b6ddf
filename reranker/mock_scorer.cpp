#include "reranker/mock_scorer.hpp"

#include <algorithm>
#include <unordered_set>

#include "reranker/words.hpp"

namespace qrerank::reranker {
namespace {

using Words = std::unordered_set<std::u32string>;

struct Judgement {
  double logit = 0;
  std::size_t words = 0;
};

Judgement judge(const Words& query, std::string_view text) {
  Judgement judgement;
  Words found;
  for_each_word(text, [&](const std::u32string& word) {
    ++judgement.words;
    if (query.contains(word)) {
      found.insert(word);
    }
  });
  const double step = 8.0 / static_cast<double>(std::max<std::size_t>(query.size(), 1));
  const double bytes = static_cast<double>(text.size());
  judgement.logit = -4.0 + step * static_cast<double>(found.size()) - step / 2 * bytes / (bytes + 1000.0);
  return judgement;
}

}  // namespace

ScoreTicket MockScorer::submit(ScoreRequest request, ScoreCompletion done) {
  if (!knows(request.model)) {
    done(tl::make_unexpected(
        ScoreError{ScoreFailure::model_unavailable, "unknown model " + request.model, {}}));
    return {};
  }
  const auto begin = Clock::now();
  if (begin >= request.deadline) {
    done(tl::make_unexpected(
        ScoreError{ScoreFailure::timeout, "the deadline passed before scoring began", {}}));
    return {};
  }
  Words query;
  for_each_word(request.query, [&](const std::u32string& word) { query.insert(word); });
  ScoreSet scores;
  scores.logits.reserve(request.texts.size());
  for (const std::string& text : request.texts) {
    const Judgement judgement = judge(query, text);
    scores.logits.push_back(judgement.logit);
    scores.tokens += judgement.words;
  }
  scores.timings.compute = std::chrono::duration_cast<Microseconds>(Clock::now() - begin);
  done(std::move(scores));
  return {};
}

bool MockScorer::knows(const std::string& model) const {
  return model == kName;
}

std::vector<ModelStatus> MockScorer::status() const {
  ModelStatus status;
  status.name = kName;
  status.state = ModelState::ready;
  status.family = kName;
  return {status};
}

}  // namespace qrerank::reranker
