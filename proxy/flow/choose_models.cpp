#include "proxy/flow/choose_models.hpp"

#include <algorithm>
#include <boost/asio/cancellation_type.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <optional>
#include <utility>
#include <vector>

#include "proxy/flow/spans.hpp"
#include "proxy/flow/upstream_request.hpp"
#include "proxy/observe/log.hpp"
#include "proxy/route/endpoints.hpp"
#include "proxy/selection/choose.hpp"
#include "proxy/selection/metadata.hpp"
#include "proxy/selection/metadata_cache.hpp"
#include "proxy/upstream/client.hpp"

namespace qrerank::proxy::flow {
namespace {

namespace asio = boost::asio;
using selection::MetadataCache;

// A failure is remembered, so that a key that may search but not look is not tried with each search.
constexpr std::chrono::seconds kTryAgainAfter{30};

selection::MetadataKey key_of(const upstream::Request& question, const std::string& metadata_key) {
  std::vector<std::string_view> parts = {question.target, metadata_key};
  for (const auto& field : question.fields) {
    parts.push_back(field.name);
    parts.push_back(field.value);
  }
  return selection::metadata_key(parts);
}

using Read = tl::expected<std::optional<std::string>, std::string>;

Read read(const upstream::ExchangeResult& answer, const std::string& metadata_key) {
  if (!answer) return tl::unexpected(answer.error().message);
  if (answer->status != 200)
    return tl::unexpected("the upstream answered with status " + std::to_string(answer->status));
  return selection::embedding_model_in(answer->body, metadata_key);
}

void report_unread(const http::InspectedRequest& request, const std::string& collection,
                   const std::string& why) {
  observe::log::warn(request.id.text(), "a collection's metadata was not read",
                     {{"collection", collection}, {"reason", why}});
}

// What the collection's metadata says of its embedding model, as far as this client may know.
http::Awaitable<std::optional<std::string>> embedding_model(MetadataCache& cache, RequestRun& run,
                                                            const std::string& collection) {
  const config::Selection& settings = run.config->selection;
  const http::InspectedRequest& request = run.request;
  auto question = collection_request(request.head, route::collection_target(request.head.target));
  const auto key = key_of(question, settings.metadata_key);
  const auto now = MetadataCache::Clock::now();
  auto known = cache.find(key, now, settings.metadata_timeout);
  if (!known.due) co_return std::move(known.embedding);

  const UpstreamTime counted(run);
  UpstreamSpan span(request.trace, question);
  auto answer = co_await request.upstream.exchange(std::move(question), now + settings.metadata_timeout);
  span.end(answer);
  const auto state = co_await asio::this_coro::cancellation_state;
  if (state.cancelled() != asio::cancellation_type::none) co_return std::nullopt;  // says nothing of Qdrant
  auto said = read(answer, settings.metadata_key);
  if (!said) {
    report_unread(request, collection, said.error());
    cache.keep(key, now + std::min<MetadataCache::Clock::duration>(settings.metadata_ttl, kTryAgainAfter));
    co_return std::move(known.embedding);
  }
  cache.store(key, *said, now + settings.metadata_ttl);
  co_return std::move(*said);
}

void take(SearchRun& search, selection::Choice choice, const RequestRun& run, const std::string& collection) {
  observe::log::debug(run.request.id.text(), "model chosen",
                      {{"collection", collection},
                       {"model", choice.model},
                       {"embedding_model", choice.embedding},
                       {"reranker", choice.reranker}});
  search.model = std::move(choice.model);
}

}  // namespace

http::Awaitable<void> choose_models(RequestRun& run, const std::string& collection) {
  const auto* rule = config::find_rule(*run.config, collection);
  std::vector<SearchRun*> waiting;
  for (SearchRun& search : run.searches) {
    const selection::Said said{*run.config, rule, search.plan->options.model, search.plan->embedding_models};
    if (auto choice = selection::choose(said)) {
      take(search, *std::move(choice), run, collection);
    } else {
      waiting.push_back(&search);
    }
  }
  if (waiting.empty()) co_return;
  std::optional<std::string> embedding;
  if (run.services.metadata != nullptr) {
    embedding = co_await embedding_model(*run.services.metadata, run, collection);
  }
  for (SearchRun* search : waiting)
    take(*search, selection::choose_by_metadata(*run.config, embedding), run, collection);
}

}  // namespace qrerank::proxy::flow
