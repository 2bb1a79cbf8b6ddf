// Receive and decide: from a held request to a plan, or to what becomes of a request that is not reranked.
#pragma once

#include <variant>
#include <vector>

#include "proxy/config/config.hpp"
#include "proxy/http/interceptor.hpp"
#include "proxy/rewrite/content_coding.hpp"
#include "proxy/rewrite/plan.hpp"
#include "proxy/route/decide.hpp"

namespace qrerank::proxy::flow {

using Received = std::variant<http::Outcome, rewrite::RequestPlan>;

/// Inflates a gzip body (at most proxy.max_inspect_body), decides, and settles everything but a plan. The
/// body of a request that goes on as it came is moved into the outcome with its coding.
Received receive(const route::SearchHead& head, http::InspectedRequest& request,
                 const config::Config& config);

/// How the body is coded: what all its Content-Encoding fields say together.
rewrite::ContentCoding coding_of(const http::RequestHead& head);

/// `X-Reranking-Used: false` where the head wished: for a body that cannot be inspected.
std::vector<http::Field> uninspected_headers(const route::SearchHead& head);

}  // namespace qrerank::proxy::flow
