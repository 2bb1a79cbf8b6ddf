// From the configuration to the scorers: the mock, and one local scorer for each configured model.
#pragma once

#include <memory>

#include "proxy/config/config.hpp"
#include "reranker/observer.hpp"
#include "reranker/scorer.hpp"

namespace qrerank::proxy {

/// Nothing is loaded yet: models load when first asked. `observer` outlives what is returned. In a build
/// without libtorch a configured model is known and always `model_unavailable`.
std::unique_ptr<reranker::Scorer> make_scorers(const config::Config& config, reranker::Observer& observer);

}  // namespace qrerank::proxy
