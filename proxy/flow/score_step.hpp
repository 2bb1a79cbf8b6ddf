// The step that judges candidates: texts of all searches of a request to the scorer, together, and back.
#pragma once

#include "proxy/flow/request_run.hpp"

namespace qrerank::proxy::flow {

/// Submits the texts of every search at once, each search with its own model and deadline, and waits for all
/// of them: afterwards each is `judged`, or `failed` for a reason of its own.
http::Awaitable<void> score_candidates(RequestRun& run, const rewrite::Answer& answer);

}  // namespace qrerank::proxy::flow
