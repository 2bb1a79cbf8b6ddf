#include "reranker/scorer_registry.hpp"

namespace qrerank::reranker {

ScorerRegistry::ScorerRegistry(std::vector<std::unique_ptr<Scorer>> scorers) : scorers_(std::move(scorers)) {}

ScorerRegistry::~ScorerRegistry() {
  while (!scorers_.empty()) {
    scorers_.pop_back();
  }
}

ScoreTicket ScorerRegistry::submit(ScoreRequest request, ScoreCompletion done) {
  if (Scorer* scorer = find(request.model)) {
    return scorer->submit(std::move(request), std::move(done));
  }
  done(
      tl::make_unexpected(ScoreError{ScoreFailure::model_unavailable, "unknown model " + request.model, {}}));
  return {};
}

bool ScorerRegistry::knows(const std::string& model) const {
  return find(model) != nullptr;
}

std::vector<ModelStatus> ScorerRegistry::status() const {
  std::vector<ModelStatus> all;
  for (const auto& scorer : scorers_) {
    for (ModelStatus& status : scorer->status()) {
      all.push_back(std::move(status));
    }
  }
  return all;
}

bool ScorerRegistry::load(const std::string& model) {
  Scorer* const scorer = find(model);
  return scorer != nullptr && scorer->load(model);
}

bool ScorerRegistry::unload(const std::string& model) {
  Scorer* const scorer = find(model);
  return scorer != nullptr && scorer->unload(model);
}

Scorer* ScorerRegistry::find(const std::string& model) const {
  for (const auto& scorer : scorers_) {
    if (scorer->knows(model)) {
      return scorer.get();
    }
  }
  return nullptr;
}

}  // namespace qrerank::reranker
