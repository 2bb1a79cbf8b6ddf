#include "proxy/scorers.hpp"

#include <utility>
#include <vector>

#include "reranker/mock_scorer.hpp"
#include "reranker/scorer_registry.hpp"

namespace qrerank::proxy {

std::unique_ptr<reranker::Scorer> make_scorers(const config::Config&, reranker::Observer&) {
  std::vector<std::unique_ptr<reranker::Scorer>> scorers;
  scorers.push_back(std::make_unique<reranker::MockScorer>());
  return std::make_unique<reranker::ScorerRegistry>(std::move(scorers));
}

}  // namespace qrerank::proxy
