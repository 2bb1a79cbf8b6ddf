// `qrerank rerank`: a query against the lines of standard input, by a model in this process.
#pragma once

#include <iosfwd>

#include "proxy/cli/command_line.hpp"
#include "proxy/config/config.hpp"
#include "reranker/scorer.hpp"

namespace qrerank::proxy::cli {

/// Reads all of `in` (at most 256 MiB), scores, prints best first, equal scores in the order of the lines.
/// Blank lines are skipped, bytes that are not UTF-8 become U+FFFD, a long line is judged by its first
/// `scoring.max_text_chars`.
ExitCode rerank(const RerankCommand& command, const config::Config& config, reranker::Scorer& scorer,
                std::istream& in, std::ostream& out, std::ostream& problems);

}  // namespace qrerank::proxy::cli
