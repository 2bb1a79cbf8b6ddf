#include "proxy/rewrite/request_batch.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "proxy/rewrite/json_splice.hpp"
#include "proxy/rewrite/request.hpp"
#include "reranker/options.hpp"

namespace qrerank::proxy::rewrite {
namespace {

void strip_root(JsonSplice& splice, const JsonValue& body) {
  for (const JsonValue member : body.children()) {
    if (reranker::find_option(member.key()) != nullptr) {
      splice.remove(member);
    }
  }
}

}  // namespace

tl::expected<std::vector<JsonValue>, std::string> searches_of(const JsonValue& body) {
  if (!body.is(JsonKind::object)) {
    return tl::unexpected(std::string("a batch is an object"));
  }
  const auto members = body.children();
  const auto named = [](const JsonValue& member) { return member.key() == "searches"; };
  if (std::count_if(members.begin(), members.end(), named) != 1) {
    return tl::unexpected(std::string("`searches` is missing, or there are two"));
  }
  const JsonValue list = *std::find_if(members.begin(), members.end(), named);
  if (!list.is(JsonKind::array) || list.holds_numbers()) {
    return tl::unexpected(std::string("`searches` is no list of searches"));
  }
  return std::vector<JsonValue>(list.children().begin(), list.children().end());
}

std::string stripped_batch(const JsonValue& body, SearchKind kind) {
  JsonSplice splice;
  strip_root(splice, body);
  if (const auto searches = searches_of(body)) {
    for (const JsonValue& search : *searches) {
      strip_options(splice, search, kind);
    }
  }
  return splice.apply(body);
}

RequestPlan batch_plan(const JsonValue& body, HitLayout layout, std::vector<PlannedSearch> searches) {
  const auto found = searches_of(body);
  if (!found || found->size() != searches.size()) {
    throw std::logic_error("a plan is needed for each search of a batch");
  }
  RequestPlan request;
  request.batch = true;
  request.layout = layout;
  request.widened = false;
  JsonSplice splice;
  strip_root(splice, body);
  for (std::size_t i = 0; i < searches.size(); ++i) {
    const JsonValue& search = (*found)[i];
    if (auto* plan = std::get_if<SearchPlan>(&searches[i])) {
      request.widened = request.widened || plan->upstream_body != plan->own_body;
      splice.replace(search, std::move(plan->upstream_body));
    } else if (const auto& passing = std::get<PassingSearch>(searches[i]); passing.own_body != search.raw()) {
      splice.replace(search, passing.own_body);
    }
  }
  request.upstream_body = splice.apply(body);
  request.searches = std::move(searches);
  return request;
}

RequestPlan single_plan(SearchPlan plan) {
  RequestPlan request;
  request.layout = plan.layout;
  request.widened = plan.upstream_body != plan.own_body;
  request.upstream_body = std::move(plan.upstream_body);
  request.searches.emplace_back(std::move(plan));
  return request;
}

std::string_view own_body(const PlannedSearch& search) {
  const auto* plan = std::get_if<SearchPlan>(&search);
  return plan != nullptr ? plan->own_body : std::get<PassingSearch>(search).own_body;
}

std::string own_request(bool batch, const std::vector<std::string_view>& own_bodies) {
  if (!batch) {
    return std::string(own_bodies.at(0));
  }
  std::string body = R"({"searches":[)";
  for (const std::string_view own : own_bodies) {
    body.append(body.back() == '[' ? "" : ",").append(own);
  }
  return body + "]}";
}

}  // namespace qrerank::proxy::rewrite
