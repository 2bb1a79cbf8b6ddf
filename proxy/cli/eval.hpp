// `qrerank eval`: does reranking help this collection, and what does it cost? Options, files and the
// terminal; the work stands in proxy/eval.
#pragma once

#include <iosfwd>

#include "proxy/cli/command_line.hpp"
#include "proxy/config/secret.hpp"

namespace qrerank::proxy::cli {

/// Runs against a proxy that is up. Prints the report to `out` and writes the files asked for; progress goes
/// to `problems`, one line rewritten when that is a terminal, else a line a step. `api_key` is
/// QDRANT_API_KEY, or empty; a key file wins.
ExitCode eval(const EvalCommand& command, config::Secret api_key, bool on_terminal, std::ostream& out,
              std::ostream& problems);

/// QDRANT_API_KEY of this process.
config::Secret api_key_of_process();

}  // namespace qrerank::proxy::cli
