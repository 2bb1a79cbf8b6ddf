#include "proxy/flow/upstream_steps.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "proxy/flow/spans.hpp"
#include "proxy/flow/upstream_request.hpp"
#include "proxy/http/places.hpp"
#include "proxy/rewrite/content_coding.hpp"
#include "proxy/rewrite/request_batch.hpp"
#include "proxy/route/endpoints.hpp"

namespace qrerank::proxy::flow {
namespace {

namespace asio = boost::asio;

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
  const bool counted = request.share != nullptr;
  UpstreamSpan span(run.request.trace, request);
  auto result = co_await run.request.upstream.exchange(std::move(request), upstream::kNoDeadline);
  span.end(result);
  if (result && run.server.empty()) run.server = result->upstream;
  if (!result) {
    NoAnswer failed{.reply = upstream::reply_for(result.error()),
                    .too_large = result.error().kind == upstream::UpstreamErrorKind::too_large};
    co_return tl::unexpected(std::move(failed));
  }
  if (result->status != kOk) co_return tl::unexpected(passed_on(std::move(*result)));
  if (!counted && run.request.share != nullptr) run.request.share->add_anyway(result->body.size());
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

// Of one request so many at a time: a batch may have any number of pages.
constexpr std::size_t kReadersAtOnce = 8;

// The searches whose pages are to be read; each reader takes the next one until none is left or one failed.
struct PageReads {
  RequestRun& run;
  const rewrite::Answer& answer;
  std::vector<SearchRun*> waiting;
  std::size_t next = 0;
  std::optional<NoAnswer> failed;
};

http::Awaitable<void> read_in_turn(PageReads& reads) {
  while (!reads.failed && reads.next < reads.waiting.size()) {
    SearchRun& search = *reads.waiting[reads.next++];
    auto read = co_await read_page_again(reads.run, search, reads.answer.sets[search.place]);
    if (!read && !reads.failed) reads.failed = std::move(read.error());
  }
}

http::Awaitable<void> read_side_by_side(PageReads& reads) {
  const auto executor = co_await asio::this_coro::executor;
  const auto reader = [&] { return asio::co_spawn(executor, read_in_turn(reads), asio::deferred); };
  std::vector<decltype(reader())> readers;
  while (readers.size() < std::min(kReadersAtOnce, reads.waiting.size())) readers.push_back(reader());
  auto all = asio::experimental::make_parallel_group(std::move(readers));
  const auto [order, thrown] =
      co_await all.async_wait(asio::experimental::wait_for_all(), http::use_awaitable);
  for (const std::exception_ptr& one : thrown) {
    if (one) std::rethrow_exception(one);
  }
}

}  // namespace

http::Awaitable<OrNoAnswer<upstream::Response>> ask(RequestRun& run, std::string body,
                                                    http::ByteShare* bound) {
  auto request = search_request(run.request.head, run.request.head.target, run.for_upstream(std::move(body)));
  request.share = bound;
  const UpstreamTime counted(run);
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
  PageReads reads{.run = run, .answer = answer, .waiting = {}, .failed = std::nullopt};
  for (SearchRun& search : run.searches) {
    const bool needed = search.own_result.empty() && search.plan->projection.needs_reread();
    if (needed && !search.page.hits.empty()) reads.waiting.push_back(&search);
  }
  if (reads.waiting.empty()) co_return OrNoAnswer<void>();
  const UpstreamTime counted(run);
  co_await read_side_by_side(reads);
  if (reads.failed) co_return tl::unexpected(*std::move(reads.failed));
  co_return OrNoAnswer<void>();
}

}  // namespace qrerank::proxy::flow
