#include "proxy/flow/search_run.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "proxy/flow/upstream_request.hpp"
#include "proxy/rewrite/content_coding.hpp"
#include "proxy/route/endpoints.hpp"

namespace qrerank::proxy::flow {
namespace {

constexpr unsigned kOk = 200;

bool is_content_coding(const http::Field& field) {
  return http::iequals(field.name, "Content-Encoding");
}

// Identity was asked for; what stands between here and Qdrant may compress nevertheless.
void inflate(upstream::Response& response, std::uint64_t max_bytes) {
  const auto field = std::ranges::find_if(response.fields, is_content_coding);
  if (field == response.fields.end() || rewrite::content_coding(field->value) != rewrite::ContentCoding::gzip)
    return;
  auto plain = rewrite::inflate_gzip(response.body, static_cast<std::size_t>(max_bytes));
  if (!plain) return;
  response.body = std::move(*plain);
  response.fields.erase(field);
}

// What Qdrant answered, as it is.
Reply passed_on(upstream::Response response) {
  return {response.status, std::move(response.reason), std::move(response.fields), std::move(response.body)};
}

http::Awaitable<OrReply<upstream::Response>> exchange(SearchRun& run, upstream::Request request) {
  const auto started = reranker::Clock::now();
  const auto deadline = started + run.config->upstream.response_timeout;
  auto result = co_await run.request.upstream.exchange(std::move(request), deadline);
  run.spent.upstream += std::chrono::duration_cast<reranker::Microseconds>(reranker::Clock::now() - started);
  if (!result) co_return tl::unexpected(upstream::reply_for(result.error()));
  if (result->status != kOk) co_return tl::unexpected(passed_on(std::move(*result)));
  inflate(*result, run.config->upstream.max_response_body);
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
    std::string why = "the upstream's answer to reading points again: " + records.error();
    auto reply = http::error_reply(502, why);
    reply.failure = std::move(why);
    co_return tl::unexpected(std::move(reply));
  }
  co_return Answer(std::move(*records));
}

Reply answer(const upstream::Response& upstream, const rewrite::Report& report, std::string body,
             std::string_view kind) {
  Reply reply{upstream.status, upstream.reason, {}, std::move(body), kind};
  std::ranges::copy_if(upstream.fields, std::back_inserter(reply.fields), [](const http::Field& field) {
    return std::ranges::none_of(rewrite::kReportHeaders,
                                [&](std::string_view ours) { return http::iequals(field.name, ours); });
  });
  for (auto& [name, value] : rewrite::report_headers(report))
    reply.fields.push_back({std::string(name), std::move(value)});
  return reply;
}

}  // namespace qrerank::proxy::flow
