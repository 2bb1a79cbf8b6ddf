// Text in: Documents whose model is ours become vectors before anything goes upstream. Where they stand in a
// body is rewrite/documents' work.
#pragma once

#include <optional>

#include "proxy/flow/request_run.hpp"

namespace qrerank::proxy::flow {

/// Fills run.vectors. What comes back is what the client gets instead of its search, which cannot be made
/// without them: the searches have failed for that reason.
http::Awaitable<std::optional<http::Reply>> embed_documents(RequestRun& run);

}  // namespace qrerank::proxy::flow
