// One search on its way through the flow: what its steps share, and the two questions it puts to the
// upstream.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tl/expected.hpp>

#include "proxy/flow/failure.hpp"
#include "proxy/flow/services.hpp"
#include "proxy/http/interceptor.hpp"
#include "proxy/rewrite/candidates.hpp"
#include "proxy/rewrite/order.hpp"
#include "proxy/rewrite/plan.hpp"
#include "proxy/rewrite/projection.hpp"
#include "proxy/rewrite/response.hpp"
#include "proxy/upstream/client.hpp"

namespace qrerank::proxy::flow {

using Reply = http::Reply;

/// A step's result, or the answer that ends the search early: an upstream's error, as it came or as 502 and
/// 504.
template <class T>
using OrReply = tl::expected<T, Reply>;

struct SearchRun {
  const Services& services;
  std::shared_ptr<const config::Config> config;
  http::InspectedRequest& request;
  rewrite::SearchPlan plan;
  std::string model;       ///< chosen
  rewrite::Spent spent;    ///< filled as the steps go
  std::size_t cached = 0;  ///< scores that came from the cache

  [[nodiscard]] reranker::OnError on_error() const;
  /// When scoring must have ended: rerank_timeout_ms from now, within the request's own timeout.
  [[nodiscard]] reranker::Clock::time_point scoring_deadline() const;
};

/// Sends `body` to the client's own target; only a 200 comes back, anything else is the client's answer. A
/// gzip body is inflated although none was asked for; one in another coding stays as it is, and cannot be
/// read.
http::Awaitable<OrReply<upstream::Response>> ask(SearchRun& run, std::string body);

/// Reads the page's points with the client's own selectors, where the projection needs it; else none.
http::Awaitable<OrReply<std::optional<rewrite::Reread>>> read_page_again(
    SearchRun& run, const rewrite::CandidateSet& set, std::span<const rewrite::Ranked> page);

/// The answer to the client: the upstream's header fields, the report's (in place of another qrerank's behind
/// us), and `body`.
Reply answer(const upstream::Response& upstream, const rewrite::Report& report, std::string body,
             std::string_view kind);

}  // namespace qrerank::proxy::flow
