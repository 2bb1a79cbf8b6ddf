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

/// What `model` would take where, without loading it.
using NeedsOf =
    std::function<tl::expected<std::vector<reranker::model::ReplicaNeed>, reranker::model::LoadError>(
        const config::Model& model)>;

/// kFailed where a model would not load.
ExitCode models(const ModelsCommand& command, const config::Config& config, const NeedsOf& needs_of,
                std::ostream& out);

}  // namespace qrerank::proxy::cli
