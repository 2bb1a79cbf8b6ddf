// What the flow tells logs and metrics. No query or document text goes here.
#pragma once

#include <string_view>

#include "proxy/flow/failure.hpp"
#include "proxy/rewrite/response.hpp"
#include "reranker/types.hpp"

namespace qrerank::proxy::flow {

struct SearchRun;

/// The candidates were scored and the answer is reordered.
void report_reranked(const SearchRun& run, const rewrite::Report& report);

/// The client gets its own result (or an error, if it asked for that) for `reason`.
void report_fallback(const SearchRun& run, Reason reason);

/// The scorer failed; its message explains.
void report_score_error(const SearchRun& run, const reranker::ScoreError& error);

/// Qdrant's 200 is not what its endpoint answers.
void report_unreadable_answer(const SearchRun& run, std::string_view why);

}  // namespace qrerank::proxy::flow
