#include "reranker/mock_scorer.hpp"

#include <algorithm>
#include <unordered_set>

#include "reranker/utf8.hpp"

namespace qrerank::reranker {
namespace {

bool is_word_char(char32_t c) {
  if (c < 0x80) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
  }
  const bool latin_punctuation = c < 0xC0 && c != 0xAA && c != 0xB5 && c != 0xBA;
  const bool general_punctuation = c >= 0x2000 && c <= 0x206F;
  const bool cjk_punctuation = (c >= 0x3000 && c <= 0x303F) || (c >= 0xFF00 && c <= 0xFF0F);
  return !latin_punctuation && !general_punctuation && !cjk_punctuation && c != 0xFFFD;
}

char32_t lower(char32_t c) {
  const bool by_32 = (c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7) ||
                     (c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F);
  if (by_32) {
    return c + 32;
  }
  return c >= 0x400 && c <= 0x40F ? c + 80 : c;
}

// Calls `each(word)` for every word, lower-cased; words are compared as code points.
template <typename Each>
void for_each_word(std::string_view text, Each each) {
  std::u32string word;
  while (!text.empty()) {
    const char32_t c = next_code_point(text);
    if (is_word_char(c)) {
      word += lower(c);
    } else if (!word.empty()) {
      each(word);
      word.clear();
    }
  }
  if (!word.empty()) {
    each(word);
  }
}

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
