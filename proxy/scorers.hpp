// From the configuration to the scorers: the mock, and the manager of the configured models.
#pragma once

#include <memory>

#include "proxy/config/config.hpp"
#include "reranker/observer.hpp"
#include "reranker/scorer.hpp"

namespace qrerank::proxy {

/// Models load when first asked, those with `preload` begin at once. `observer` outlives what is returned. In
/// a build without libtorch a configured model is known and always `model_unavailable`.
std::unique_ptr<reranker::Scorer> make_scorers(const config::Config& config, reranker::Observer& observer);

}  // namespace qrerank::proxy
