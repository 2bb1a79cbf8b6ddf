// From the scorer's callback to a coroutine: the only place where compute threads hand something to I/O
// threads.
#pragma once

#include "proxy/http/async.hpp"
#include "reranker/scorer.hpp"

namespace qrerank::proxy::scoring {

/// Submits the request and suspends until its result is there; resumes on the coroutine's own executor, whose
/// io_context runs on one thread. When the coroutine is cancelled (terminal, partial or total) the ticket is
/// dropped and the result is `cancelled`. `scorer` outlives the coroutine.
http::Awaitable<reranker::ScoreResult> score(reranker::Scorer& scorer, reranker::ScoreRequest request);

}  // namespace qrerank::proxy::scoring
