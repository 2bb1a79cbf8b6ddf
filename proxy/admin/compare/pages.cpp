#include "proxy/admin/compare/pages.hpp"

#include <boost/json.hpp>
#include <chrono>
#include <string>
#include <tl/expected.hpp>
#include <utility>

#include "proxy/admin/compare/collections.hpp"
#include "proxy/admin/compare/search_pair.hpp"
#include "proxy/admin/json_reply.hpp"
#include "proxy/http/target.hpp"
#include "proxy/route/endpoints.hpp"

namespace qrerank::proxy::admin::compare {
namespace {

namespace json = boost::json;

constexpr std::string_view kCompare = "/compare";
constexpr std::string_view kCollections = "/collections";
constexpr unsigned kOk = 200;

// Points to try "more like this" with, and whose payloads tell what fields there are.
constexpr std::string_view kSample =
    R"({"query":{"sample":"random"},"limit":8,"with_payload":true,"use_reranker":false})";

AdminReply not_understood() {
  return error_reply(502, "the answer is not Qdrant's");
}

// A 200 of Qdrant's, or what the page is told instead.
using Answered = tl::expected<upstream::Response, AdminReply>;
http::Awaitable<Answered> ask(OwnProxy& proxy, Question question) {
  auto result = co_await proxy.ask(std::move(question));
  if (!result) co_return tl::unexpected(error_reply(502, result.error().message));
  if (result->status != kOk) {
    json::object why{{"error", error_text(*result)}, {"status", result->status}};
    co_return tl::unexpected(json_reply(502, why));
  }
  co_return *std::move(result);
}

AdminReply form(const AdminContext& context, const OwnProxy& proxy) {
  const auto config = context.config();
  json::array instructions;
  for (const auto& one : config->instructions)
    instructions.push_back(json::object{{"name", one.name}, {"text", one.text}});
  return json_reply(200, {{"proxy", proxy.url()},
                          {"max_top_k", config->rerank.limits.max_top_k},
                          {"default_model", config->rerank.default_model},
                          {"instructions", std::move(instructions)}});
}

http::Awaitable<AdminReply> list(std::string api_key, OwnProxy& proxy) {
  Question question{"GET", std::string(kCollections), std::move(api_key), ""};
  auto answered = co_await ask(proxy, std::move(question));
  if (!answered) co_return std::move(answered.error());
  auto names = names_in(answered->body);
  if (!names) co_return not_understood();
  json::object listed{{"collections", std::move(*names)}};
  co_return json_reply(200, listed);
}

http::Awaitable<AdminReply> describe(std::string name, std::string api_key, const AdminContext& context,
                                     OwnProxy& proxy) {
  const std::string path = std::string(kCollections) + "/" + http::path_segment(name);
  Question about{"GET", path, api_key, ""};
  auto answered = co_await ask(proxy, std::move(about));
  if (!answered) co_return std::move(answered.error());
  auto description = description_in(answered->body, name, *context.config());
  if (!description) co_return not_understood();
  Question sampling{"POST", path + "/points/query", std::move(api_key), std::string(kSample)};
  // A key may allow less than this, and an old server may know no samples: the page does without.
  auto sampled = co_await ask(proxy, std::move(sampling));
  (*description)["sample"] = sampled ? sample_in(sampled->body) : json::array();
  co_return json_reply(200, *description);
}

using Side = tl::expected<json::object, AdminReply>;
http::Awaitable<Side> run(OwnProxy& proxy, Question question) {
  const auto started = std::chrono::steady_clock::now();
  auto result = co_await proxy.ask(std::move(question));
  if (!result) co_return tl::unexpected(error_reply(502, result.error().message));
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - started;
  co_return side_of(*result, took.count());
}

bool is_good(const json::object& side) {
  return *side.if_contains("status") == kOk;
}

// One after the other: side by side they would be in each other's times.
http::Awaitable<AdminReply> compare(AdminRequest request, const AdminContext& context, OwnProxy& proxy) {
  auto pair = pair_from(request.body, *context.config());
  if (!pair) co_return error_reply(400, pair.error());
  const std::string target =
      std::string(kCollections) + "/" + http::path_segment(pair->collection) + "/points/query";
  Question plain{"POST", target, request.api_key, std::move(pair->plain)};
  auto vector = co_await run(proxy, std::move(plain));
  if (!vector) co_return std::move(vector.error());
  json::object both;
  // What is refused without the flag is refused with it, but for a Document that only qrerank can read.
  const bool may_go_on = is_good(*vector) || pair->weightless;
  if (pair->reranked && may_go_on) {
    Question flagged{"POST", target, request.api_key, *std::move(pair->reranked)};
    auto reranked = co_await run(proxy, std::move(flagged));
    if (!reranked) co_return std::move(reranked.error());
    if (is_good(*vector) || is_good(*reranked)) both["reranked"] = std::move(*reranked);
  }
  if (!is_good(*vector) && may_go_on) {
    Question weightless{"POST", target, std::move(request.api_key), *std::move(pair->weightless)};
    auto order = co_await run(proxy, std::move(weightless));
    if (!order) co_return std::move(order.error());
    // Where it is refused, too, that is the answer: Qdrant alone cannot read the Document.
    *vector = is_good(*order) ? vector_side_of(std::move(*order)) : std::move(*order);
  }
  both["vector"] = std::move(*vector);
  co_return json_reply(200, both);
}

}  // namespace

bool is_compare_path(std::string_view path) {
  return path == kCompare || path == kCollections ||
         (path.starts_with(kCollections) && path[kCollections.size()] == '/');
}

http::Awaitable<AdminReply> answer(AdminRequest request, const AdminContext& context,
                                   std::shared_ptr<OwnProxy> proxy) {
  const std::string path(request.target.substr(0, request.target.find('?')));
  const bool reading = is_reading(request.method);
  if (path == kCompare && request.method == "POST") {
    auto compared = co_await compare(std::move(request), context, *proxy);
    co_return compared;
  }
  if (path == kCompare && !reading) co_return wrong_method("GET, HEAD, POST", "GET, HEAD and POST are");
  if (!reading) co_return only_read();
  if (path == kCompare) co_return form(context, *proxy);
  if (path == kCollections) {
    auto listed = co_await list(std::move(request.api_key), *proxy);
    co_return listed;
  }
  auto name = route::percent_decoded(std::string_view(path).substr(kCollections.size() + 1), false);
  if (name.empty()) co_return error_reply(404, "no such page; /collections lists them");
  auto described = co_await describe(std::move(name), std::move(request.api_key), context, *proxy);
  co_return described;
}

}  // namespace qrerank::proxy::admin::compare
