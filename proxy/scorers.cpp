#include "proxy/scorers.hpp"

#include <algorithm>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "reranker/local_scorer.hpp"
#include "reranker/mock_scorer.hpp"
#include "reranker/model/model.hpp"
#include "reranker/score_cache.hpp"
#include "reranker/scorer_registry.hpp"

namespace qrerank::proxy {
namespace {

constexpr int kMostTokenizerThreads = 4;

reranker::model::ModelSpec spec_of(const config::Config& config, const config::Model& model) {
  reranker::model::ModelSpec spec;
  spec.name = model.name;
  spec.path = config::model_folder(config, model);
  spec.dtype = model.dtype;
  spec.device = model.device;
  spec.max_length = model.max_length;
  spec.threads = config.scoring.threads;
  return spec;
}

reranker::LocalScorerSettings settings_of(const config::Scoring& scoring) {
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  reranker::LocalScorerSettings settings;
  settings.token_budget = scoring.token_budget;
  settings.max_queued_texts = scoring.max_queued_texts;
  settings.max_queued_tokens = scoring.max_queued_tokens;
  settings.tokenizer_threads = static_cast<std::size_t>(
      scoring.tokenizer_threads > 0 ? scoring.tokenizer_threads : std::min(cores, kMostTokenizerThreads));
  return settings;
}

reranker::ModelLoader loader_of(reranker::model::ModelSpec spec) {
  return [spec = std::move(
              spec)]() -> tl::expected<std::unique_ptr<reranker::model::Model>, reranker::model::LoadError> {
#if QRERANK_WITH_TORCH
    return reranker::model::load_model(spec);
#else
    return tl::unexpected(
        reranker::model::LoadError{spec.path + ": this build has no local models (QRERANK_WITH_TORCH=OFF)"});
#endif
  };
}

}  // namespace

std::unique_ptr<reranker::Scorer> make_scorers(const config::Config& config, reranker::Observer& observer) {
  std::vector<std::unique_ptr<reranker::Scorer>> scorers;
  scorers.push_back(std::make_unique<reranker::MockScorer>());
  std::shared_ptr<reranker::ScoreCache> cache;
  if (config.scoring.cache_bytes > 0)
    cache = std::make_shared<reranker::ScoreCache>(config.scoring.cache_bytes);
  for (const auto& model : config.models) {
    scorers.push_back(std::make_unique<reranker::LocalScorer>(model.name, loader_of(spec_of(config, model)),
                                                              settings_of(config.scoring), cache, observer));
  }
  return std::make_unique<reranker::ScorerRegistry>(std::move(scorers));
}

}  // namespace qrerank::proxy
