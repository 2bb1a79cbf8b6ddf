// `qrerank models`: what is configured, where it is, how large, and whether it would load.
#pragma once

#include <functional>
#include <iosfwd>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/cli/command_line.hpp"
#include "proxy/config/config.hpp"
#include "reranker/model/placement.hpp"

namespace qrerank::proxy::cli {

using Needs = tl::expected<std::vector<reranker::model::ReplicaNeed>, reranker::model::LoadError>;

/// What a model would take where, without loading it.
struct NeedsOf {
  std::function<Needs(const config::Model& model)> judging;
  std::function<Needs(const config::EmbeddingModel& model)> embedding;
};

/// kFailed where a model would not load.
ExitCode models(const ModelsCommand& command, const config::Config& config, const NeedsOf& needs_of,
                std::ostream& out);

}  // namespace qrerank::proxy::cli
