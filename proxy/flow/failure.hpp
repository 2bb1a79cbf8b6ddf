// The one place that decides what a failure becomes: its reason (docs, label, header), and whether the client
// gets its own result or an error. The table is the contract's ("Failure").
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "proxy/http/message.hpp"
#include "reranker/options.hpp"
#include "reranker/types.hpp"

namespace qrerank::proxy::flow {

/// Why a search that wished or demanded reranking was answered without it. A closed set: each is a value of
/// `reranking_reason`, of `X-Reranking-Reason` and of the metric's label.
enum class Reason {
  overloaded,
  timeout,
  model_unavailable,
  out_of_memory,
  no_candidates,
  no_text,
  no_query,
  backend_error,
  internal,
};

inline constexpr std::array kReasons = {
    Reason::overloaded,    Reason::timeout,       Reason::model_unavailable,
    Reason::out_of_memory, Reason::no_candidates, Reason::no_text,
    Reason::no_query,      Reason::backend_error, Reason::internal,
};

std::string_view label(Reason reason);

/// What a scorer's failure is called outside. A cancelled request has nobody left to tell; `internal` stands
/// for it.
Reason reason_of(reranker::ScoreFailure failure);

/// Reply::kind of the answers that the flow makes.
inline constexpr std::string_view kReranked = "reranked";
inline constexpr std::string_view kFallback = "fallback";
inline constexpr std::string_view kRefused = "refused";

/// 400 in Qdrant's error shape: a bad option, or a demand that cannot be met.
http::Reply refused(std::string_view message);

/// True when the client is to get an error instead of its own result: `rerank_on_error: error`, and the
/// reason is a failure. Missing texts, candidates or queries are facts about the request and never an error.
bool refuses(Reason reason, reranker::OnError on_error);

/// 503 with Retry-After, or 507 for memory, in Qdrant's error shape, naming the reason and the model; counted
/// and logged as failed.
http::Reply refusal(Reason reason, std::string_view model);

/// The same where a Document got no vector: the search cannot be made, whatever the client said of failures.
http::Reply not_embedded(Reason reason, std::string_view model);

}  // namespace qrerank::proxy::flow
