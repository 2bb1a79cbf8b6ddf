// What the flow tells logs and metrics. No query or document text goes here.
#pragma once

#include <string>
#include <string_view>

#include "proxy/flow/request_run.hpp"
#include "reranker/embedder.hpp"
#include "reranker/types.hpp"

namespace qrerank::proxy::flow {

/// The searches that were scored are reordered in the answer.
void report_reranked(const RequestRun& run);

/// The searches that failed get their own result (or an error, if they asked for that).
void report_fallbacks(const RequestRun& run);

/// The scorer failed; its message explains.
void report_score_error(const RequestRun& run, const SearchRun& search, const reranker::ScoreError& error);

/// Documents of one model became vectors.
void report_embedded(const RequestRun& run, const reranker::Embeddings& made);

/// Documents got no vector; its message explains.
void report_embedding_error(const RequestRun& run, const std::string& model,
                            const reranker::ScoreError& error);

/// RequestRun::inference, once the vectors of all Documents are there or one is missing.
void report_embedding_wait(const RequestRun& run);

/// Qdrant's 200 is not what its endpoint answers.
void report_unreadable_answer(const RequestRun& run, std::string_view why);

/// Qdrant's answer is over the limit, and the client's own goes through as a stream.
void report_too_large(const RequestRun& run, std::string_view why);

/// A text field names an object, which has no text: told once for each path and collection.
void report_object_as_text(const RequestRun& run, std::string_view path);

}  // namespace qrerank::proxy::flow
