// From the configuration to the scorers: the mock, and the manager of the configured models.
#pragma once

#include <functional>
#include <memory>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/config/config.hpp"
#include "reranker/embedder.hpp"
#include "reranker/model/placement.hpp"
#include "reranker/observer.hpp"
#include "reranker/score_cache.hpp"
#include "reranker/scorer.hpp"

namespace qrerank::proxy {

struct Scorers {
  std::unique_ptr<reranker::Scorer> all;
  reranker::Embedder* embedder = nullptr;  ///< `all` owns it
  /// From here on the models of `config` are the configured ones; the other settings are those of the start.
  /// What is replaced or gone ends its work first. Not after `all` is gone.
  std::function<void(const config::Config& config)> follow;
  std::shared_ptr<const reranker::ScoreCache> cache;  ///< null: none is kept
};

/// Those that judge and those that make vectors. Models load when first asked, those with `preload` begin at
/// once. `observer` outlives what is returned. In a build without libtorch a configured model is known and
/// always `model_unavailable`.
Scorers make_scorers(const config::Config& config, reranker::Observer& observer);

/// What a configured model would take where, told by its files' headers; nothing is loaded. The error tells
/// why it would not load, also that there is no room for it.
tl::expected<std::vector<reranker::model::ReplicaNeed>, reranker::model::LoadError> model_needs(
    const config::Config& config, const config::Model& model);
tl::expected<std::vector<reranker::model::ReplicaNeed>, reranker::model::LoadError> model_needs(
    const config::Config& config, const config::EmbeddingModel& model);

}  // namespace qrerank::proxy
