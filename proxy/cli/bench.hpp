// `qrerank bench`: how fast a configured model judges on this machine.
#pragma once

#include <iosfwd>

#include "proxy/cli/command_line.hpp"
#include "proxy/config/config.hpp"
#include "reranker/scorer.hpp"

namespace qrerank::proxy::cli {

/// Loads the model, then for each number of searches at once and of candidates: a search to warm up, and
/// searches for at least `command.seconds` and three rounds. A row is printed when it is measured; `problems`
/// gets what goes wrong. The scorer's cache must be off, or the numbers are the cache's.
ExitCode bench(const BenchCommand& command, const config::Config& config, reranker::Scorer& scorer,
               std::ostream& out, std::ostream& problems);

}  // namespace qrerank::proxy::cli
