// From the scorer's and embedder's callbacks to a coroutine: the only place where compute threads hand
// something to I/O threads.
#pragma once

#include <vector>

#include "proxy/http/async.hpp"
#include "reranker/embedder.hpp"
#include "reranker/scorer.hpp"

namespace qrerank::proxy::scoring {

/// Submits all requests, one after the other and before any result is waited for, and suspends until the last
/// result is there; results stand in the requests' order. Resumes on the coroutine's own executor, whose
/// io_context runs on one thread. When the coroutine is cancelled (terminal, partial or total) the tickets
/// are dropped and the results not yet there are `cancelled`. `scorer` outlives the coroutine.
http::Awaitable<std::vector<reranker::ScoreResult>> score(reranker::Scorer& scorer,
                                                          std::vector<reranker::ScoreRequest> requests);

/// The same of vectors.
http::Awaitable<std::vector<reranker::EmbedResult>> embed(reranker::Embedder& embedder,
                                                          std::vector<reranker::EmbedRequest> requests);

}  // namespace qrerank::proxy::scoring
