// The questions that an intercepted request puts to the upstream, as steps of the flow.
#pragma once

#include <string>
#include <tl/expected.hpp>

#include "proxy/flow/request_run.hpp"
#include "proxy/upstream/client.hpp"

namespace qrerank::proxy::flow {

/// No 200 came. The client gets the reply: what Qdrant answered, as it is, or 502 and 504.
struct NoAnswer {
  http::Reply reply;
  bool too_large = false;  ///< over upstream.max_response_body, or no room for it
};

template <class T>
using OrNoAnswer = tl::expected<T, NoAnswer>;

/// Sends `body` to the client's own target, for_upstream(); only a 200 comes back. A gzip body is inflated
/// although none was asked for; one in another coding stays as it is, and cannot be read. With `bound` an
/// answer that finds no room there is too large; what is asked without is counted all the same.
http::Awaitable<OrNoAnswer<upstream::Response>> ask(RequestRun& run, std::string body,
                                                    http::ByteShare* bound = nullptr);

/// Asks for the client's own results of all searches that must_ask_again(), in one request.
http::Awaitable<OrNoAnswer<void>> ask_again(RequestRun& run);

/// Reads the points of each page with the client's own selectors, where its projection needs it; pages of
/// several searches side by side.
http::Awaitable<OrNoAnswer<void>> read_pages_again(RequestRun& run, const rewrite::Answer& answer);

}  // namespace qrerank::proxy::flow
