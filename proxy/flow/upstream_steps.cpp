#include "proxy/flow/upstream_steps.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "proxy/flow/upstream_request.hpp"
#include "proxy/rewrite/content_coding.hpp"
#include "proxy/rewrite/request_batch.hpp"
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
  if (std::ranges::count_if(response.fields, is_content_coding) != 1 ||
      rewrite::content_coding(field->value) != rewrite::ContentCoding::gzip)
    return;
  auto plain = rewrite::inflate_gzip(response.body, static_cast<std::size_t>(max_bytes));
  if (!plain) return;
  response.body = std::move(*plain);
  response.fields.erase(field);
}

// What Qdrant answered, as it is.
NoAnswer passed_on(upstream::Response response) {
  return {.reply = {response.status, std::move(response.reason), std::move(response.fields),
                    std::move(response.body)}};
}

tl::unexpected<NoAnswer> unreadable(std::string_view which, const std::string& why) {
  std::string message = "the upstream's answer to " + std::string(which) + ": " + why;
  NoAnswer failed{.reply = http::error_reply(502, message)};
  failed.reply.failure = std::move(message);
  return tl::unexpected(std::move(failed));
}

http::Awaitable<OrNoAnswer<upstream::Response>> exchange(RequestRun& run, upstream::Request request) {
  const auto started = reranker::Clock::now();
  const auto deadline = started + run.config->upstream.response_timeout;
  auto result = co_await run.request.upstream.exchange(std::move(request), deadline);
  run.upstream += std::chrono::duration_cast<reranker::Microseconds>(reranker::Clock::now() - started);
  if (!result) {
    NoAnswer failed{.reply = upstream::reply_for(result.error()),
                    .too_large = result.error().kind == upstream::UpstreamErrorKind::too_large};
    co_return tl::unexpected(std::move(failed));
  }
  if (result->status != kOk) co_return tl::unexpected(passed_on(std::move(*result)));
  inflate(*result, run.config->upstream.max_response_body);
  co_return std::move(*result);
}

http::Awaitable<OrNoAnswer<void>> read_page_again(RequestRun& run, SearchRun& search,
                                                  const rewrite::CandidateSet& set) {
  const auto ids = rewrite::page_ids(set, search.page.hits);
  auto request = search_request(run.request.head, route::reread_target(run.request.head.target),
                                rewrite::reread_body(search.plan->projection, ids));
  auto response = co_await exchange(run, std::move(request));
  if (!response) co_return tl::unexpected(std::move(response.error()));
  auto records = rewrite::parse_reread(std::move(response->body));
  if (!records) co_return unreadable("reading points again", records.error());
  search.reread = std::move(*records);
  co_return OrNoAnswer<void>();
}

}  // namespace

http::Awaitable<OrNoAnswer<upstream::Response>> ask(RequestRun& run, std::string body) {
  auto request = search_request(run.request.head, run.request.head.target, std::move(body));
  auto response = co_await exchange(run, std::move(request));
  co_return response;
}

http::Awaitable<OrNoAnswer<void>> ask_again(RequestRun& run) {
  std::vector<SearchRun*> asking;
  std::vector<std::string_view> bodies;
  for (SearchRun& search : run.searches) {
    if (!search.must_ask_again()) continue;
    asking.push_back(&search);
    bodies.push_back(search.plan->own_body);
  }
  if (asking.empty()) co_return OrNoAnswer<void>();
  auto response = co_await ask(run, rewrite::own_request(run.plan.batch, bodies));
  if (!response) co_return tl::unexpected(std::move(response.error()));
  auto own = rewrite::extract_whole(std::move(response->body), run.plan.batch, asking.size());
  if (!own) co_return unreadable("the client's own request", own.error().why);
  run.own = std::move(*own);
  for (std::size_t i = 0; i < asking.size(); ++i) asking[i]->own_result = run.own->sets[i].whole;
  co_return OrNoAnswer<void>();
}

http::Awaitable<OrNoAnswer<void>> read_pages_again(RequestRun& run, const rewrite::Answer& answer) {
  for (SearchRun& search : run.searches) {
    const bool needed = search.own_result.empty() && search.plan->projection.needs_reread();
    if (!needed || search.page.hits.empty()) continue;
    auto read = co_await read_page_again(run, search, answer.sets[search.place]);
    if (!read) co_return tl::unexpected(std::move(read.error()));
  }
  co_return OrNoAnswer<void>();
}

}  // namespace qrerank::proxy::flow
