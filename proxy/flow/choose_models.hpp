// Choose the model of each search; where the collection's metadata has a say, ask Qdrant for it.
#pragma once

#include <string>

#include "proxy/flow/request_run.hpp"

namespace qrerank::proxy::flow {

/// Fills SearchRun::model of every search: `mock` or a name under `models`. Metadata is read at most once for
/// the request, with the client's own credentials, and kept for them alone; a failure to read it is logged,
/// and the searches go on as if there were none.
http::Awaitable<void> choose_models(RequestRun& run, const std::string& collection);

}  // namespace qrerank::proxy::flow
