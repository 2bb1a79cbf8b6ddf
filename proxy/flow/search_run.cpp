#include "proxy/flow/search_run.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "proxy/flow/upstream_request.hpp"
#include "proxy/route/endpoints.hpp"

namespace qrerank::proxy::flow {
namespace {

constexpr unsigned kOk = 200;

bool is_content_coding(const http::Field& field) {
  return http::iequals(field.name, "Content-Encoding");
}

// What Qdrant answered, as it is.
Reply passed_on(upstream::Response response) {
  return {
      response.status, std::move(response.reason), std::move(response.fields), std::move(response.body), {}};
}

http::Awaitable<OrReply<upstream::Response>> exchange(SearchRun& run, upstream::Request request) {
  const auto started = reranker::Clock::now();
  const auto deadline = started + run.config->upstream.response_timeout;
  auto result = co_await run.request.upstream.exchange(std::move(request), deadline);
  run.spent.upstream += std::chrono::duration_cast<reranker::Microseconds>(reranker::Clock::now() - started);
  if (!result) co_return tl::unexpected(upstream::reply_for(result.error()));
  if (result->status != kOk) co_return tl::unexpected(passed_on(std::move(*result)));
  // Identity was asked for. An upstream that compresses nevertheless is passed on untouched.
  if (std::ranges::any_of(result->fields, is_content_coding))
    co_return tl::unexpected(passed_on(std::move(*result)));
  co_return std::move(*result);
}

}  // namespace

reranker::OnError SearchRun::on_error() const {
  return plan.options.on_error.value_or(reranker::OnError::fallback);
}

reranker::Clock::time_point SearchRun::scoring_deadline() const {
  const auto budget =
      std::chrono::milliseconds(plan.options.timeout_ms.value_or(reranker::kDefaultTimeoutMs));
  auto deadline = reranker::Clock::now() + budget;
  if (const auto own = own_timeout(request.head.target))
    deadline = std::min(deadline, request.received + *own);
  return deadline;
}

http::Awaitable<OrReply<upstream::Response>> ask(SearchRun& run, std::string body) {
  auto request = search_request(run.request.head, run.request.head.target, std::move(body));
  auto response = co_await exchange(run, std::move(request));
  co_return response;
}

http::Awaitable<OrReply<std::optional<rewrite::Reread>>> read_page_again(
    SearchRun& run, const rewrite::CandidateSet& set, std::span<const rewrite::Ranked> page) {
  using Answer = std::optional<rewrite::Reread>;
  const auto& projection = run.plan.projection;
  if (!projection.needs_reread() || page.empty()) co_return Answer();
  const auto ids = rewrite::page_ids(set, page);
  auto request = search_request(run.request.head, route::reread_target(run.request.head.target),
                                rewrite::reread_body(projection, ids));
  auto response = co_await exchange(run, std::move(request));
  if (!response) co_return tl::unexpected(std::move(response.error()));
  auto records = rewrite::parse_reread(std::move(response->body));
  if (!records) {
    co_return tl::unexpected(
        http::error_reply(502, "The upstream's answer to reading points again: " + records.error()));
  }
  co_return Answer(std::move(*records));
}

Reply answer(const upstream::Response& upstream, const rewrite::Report& report, std::string body,
             std::string_view kind) {
  Reply reply{upstream.status, upstream.reason, upstream.fields, std::move(body), kind};
  for (auto& [name, value] : rewrite::report_headers(report))
    reply.fields.push_back({std::string(name), std::move(value)});
  return reply;
}

}  // namespace qrerank::proxy::flow
