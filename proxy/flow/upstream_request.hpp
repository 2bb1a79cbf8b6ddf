// The requests that the flow sends upstream, made from the client's own head: its credentials
// and, with a search, everything else that is the client's travel on, our options do not. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/http/interceptor.hpp"
#include "proxy/http/message.hpp"
#include "proxy/upstream/client.hpp"

namespace qrerank::proxy::flow {

/// `target` is the client's, or the second read's (route::reread_target): options are taken off it. The
/// request has the client's method and header fields but for X-Rerank and X-Rerank-*, those that speak of
/// the body's coding, and hop-by-hop ones; an uncompressed answer is asked for.
upstream::Request search_request(const http::RequestHead& head, std::string_view target, std::string body);

/// The client's request sent on and its answer streamed, with options taken off everywhere; `body` is plain.
http::PassAsItCame own_request_passed(const http::RequestHead& head, std::string body);

/// The client's question what its collection is: GET `target` (route::collection_target) with nothing of the
/// client's head but Host and what may carry credentials, as far as they are for more than this hop. The
/// answer depends on nothing else, so that it may be kept under these fields.
upstream::Request collection_request(const http::RequestHead& head, std::string target);

/// The request's own `timeout` parameter (whole seconds, at least 1); none when absent or not such a number,
/// which Qdrant then refuses itself.
std::optional<std::chrono::seconds> own_timeout(std::string_view target);

}  // namespace qrerank::proxy::flow
