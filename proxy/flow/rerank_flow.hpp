// The data path of a search: receive → decide → rewrite request → ask upstream → extract candidates → score →
// reorder → rewrite response → reply.
#pragma once

#include "proxy/flow/services.hpp"
#include "proxy/http/interceptor.hpp"
#include "proxy/route/decide.hpp"

namespace qrerank::proxy::flow {

/// Answers one inspected request whose head `head` was judged to be that of a search. Cancelled when the
/// client goes away: the scorer's ticket is dropped, the upstream connection closed.
http::Awaitable<http::Outcome> rerank_flow(const Services& services,
                                           std::shared_ptr<const config::Config> config,
                                           route::SearchHead head, http::InspectedRequest request);

}  // namespace qrerank::proxy::flow
