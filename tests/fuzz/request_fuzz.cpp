// Searches as strangers send them, through everything that is decided of a request and written into it: head,
// options, body. What goes upstream must be the client's search with our options gone and its limits raised,
// and nothing else: compared with the same change made in a DOM.
#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "proxy/rewrite/request.hpp"
#include "proxy/rewrite/request_batch.hpp"
#include "proxy/route/decide.hpp"
#include "tests/fuzz/dom.hpp"
#include "tests/fuzz/property.hpp"

namespace qrerank::fuzz {
namespace {

namespace rewrite = proxy::rewrite;
namespace route = proxy::route;
using rewrite::JsonTree;

proxy::config::Config make_config() {
  proxy::config::Config config;
  proxy::config::CollectionRule always;
  always.pattern = "always*";
  always.mode = proxy::config::RerankMode::always;
  always.options.fields = {"title", "text"};
  proxy::config::CollectionRule never;
  never.pattern = "never*";
  never.mode = proxy::config::RerankMode::never;
  config.collections = {always, never};
  return config;
}
const proxy::config::Config kConfig = make_config();

void erase_options(Json& object) {
  if (!object.is_object()) return;
  for (const auto& spec : reranker::option_table()) {
    object.erase(std::string(spec.name));
    if (!spec.alias.empty()) object.erase(std::string(spec.alias));
  }
}

bool is_document(const Json& query) {
  return query.is_object() && query.contains("text") && query["text"].is_string();
}

void erase_options_of_document(Json& query) {
  if (is_document(query) && query.contains("options")) erase_options(query["options"]);
}

template <class Use>
void for_each_prefetch(Json& search, Use use) {
  if (!search.is_object() || !search.contains("prefetch")) return;
  Json& prefetch = search["prefetch"];
  if (prefetch.is_object()) {
    use(prefetch);
    for_each_prefetch(prefetch, use);
  } else if (prefetch.is_array()) {
    for (Json& one : prefetch) {
      use(one);
      for_each_prefetch(one, use);
    }
  }
}

void erase_options_of_query(Json& search) {
  if (!search.is_object() || !search.contains("query")) return;
  Json& query = search["query"];
  const bool wrapped = !is_document(query) && query.is_object() && query.contains("nearest");
  erase_options_of_document(wrapped ? query["nearest"] : query);
}

Json without_options(Json search, rewrite::SearchKind kind) {
  erase_options(search);
  if (search.is_object() && search.contains("params")) erase_options(search["params"]);
  if (kind == rewrite::SearchKind::query) {
    erase_options_of_query(search);
    for_each_prefetch(search, erase_options_of_query);
  }
  return search;
}

void erase_candidates_limit(Json& search) {
  if (search.is_object() && search.contains("query") && search["query"].is_object() &&
      search["query"].contains("mmr") && search["query"]["mmr"].is_object()) {
    search["query"]["mmr"].erase("candidates_limit");
  }
}

// What the rewrite may change.
Json without_bounds(Json search) {
  if (!search.is_object()) return search;
  for (const char* name :
       {"limit", "top", "offset", "with_payload", "with_vector", "with_vectors", "group_size"}) {
    search.erase(name);
  }
  erase_candidates_limit(search);
  for_each_prefetch(search, [](Json& one) {
    if (one.is_object()) one.erase("limit");
    erase_candidates_limit(one);
  });
  return search;
}

std::uint64_t saturating_sum(std::uint64_t a, std::uint64_t b) {
  return a > std::numeric_limits<std::uint64_t>::max() - b ? std::numeric_limits<std::uint64_t>::max()
                                                           : a + b;
}

void is_widened(const rewrite::SearchPlan& plan, const rewrite::JsonValue& sent, rewrite::SearchKind kind) {
  const bool groups = plan.layout == rewrite::HitLayout::groups;
  const auto shape = rewrite::read_search(sent, kind, groups);
  must(shape.refused.empty(), "what goes up is not refused for its bounds");
  if (groups) {
    must(shape.limit_value >= plan.limit, "at least the groups that were asked for");
  } else {
    must(shape.limit_value == std::max(plan.top_k, saturating_sum(plan.offset, plan.limit)),
         "limit is max(top_k, offset + limit)");
    must(shape.offset_value == 0, "the offset is ours to cut");
  }
  for (const auto& prefetch : shape.prefetches) {
    must(prefetch.limit_value >= shape.limit_value || groups, "a prefetch brings as many as are asked of it");
  }
  must(!shape.with_vector || shape.with_vector->is_null() || shape.with_vector->raw() == "false",
       "no vectors are asked of candidates");
}

void is_sound(const rewrite::SearchPlan& plan) {
  must(!plan.query_text.empty(), "there is a text to judge against");
  must(plan.top_k >= 10 && plan.top_k <= 200, "top_k is in bounds");
  must(!plan.fields.empty(), "there is a field to read");
}

void compare_search(const rewrite::PlannedSearch& planned, const rewrite::JsonValue& sent, const Json& before,
                    const Json& after, rewrite::SearchKind kind) {
  const auto own = dom_of(rewrite::own_body(planned));
  const Json stripped = without_options(before, kind);
  must(own && *own == stripped, "a client's own search is it without the options");
  if (const auto* plan = std::get_if<rewrite::SearchPlan>(&planned)) {
    is_sound(*plan);
    is_widened(*plan, sent, kind);
    must(without_bounds(after) == without_bounds(stripped), "nothing but options and bounds changes");
  } else {
    must(after == stripped, "a search that only passes keeps its bounds");
  }
}

route::SearchHead bare_head(const route::SearchHead& head) {
  route::SearchHead bare;
  bare.match = head.match;
  bare.match.collection = "other";
  return bare;
}

void is_planned(const route::SearchHead& head, std::string_view body, const rewrite::RequestPlan& plan) {
  const auto tree = JsonTree::parse(plan.upstream_body);
  must(tree.has_value(), "what goes up is a JSON text");
  must(std::holds_alternative<route::Pass>(route::decide(bare_head(head), plan.upstream_body, kConfig)),
       "no option goes up");
  const auto before = dom_of(body);
  const auto after = dom_of(plan.upstream_body);
  if (!before) return;
  must(after.has_value(), "no member is sent twice");
  const auto kind = head.match.row->kind;
  if (!plan.batch) {
    must(plan.searches.size() == 1, "a request without a batch is one search");
    compare_search(plan.searches[0], tree->root(), *before, *after, kind);
    return;
  }
  const auto sent = rewrite::searches_of(tree->root());
  must(sent && sent->size() == plan.searches.size(), "a batch stays as long as it was");
  Json root = *before;
  erase_options(root);
  root.erase("searches");
  Json left = *after;
  left.erase("searches");
  must(root == left, "a batch's root loses its options and nothing else");
  for (std::size_t i = 0; i < plan.searches.size(); ++i) {
    compare_search(plan.searches[i], (*sent)[i], (*before)["searches"][i], (*after)["searches"][i], kind);
  }
}

void is_presentable(const route::Refuse& refuse) {
  const auto reply = proxy::http::error_reply(400, refuse.message);
  must(!refuse.message.empty() && JsonTree::parse(reply.body).has_value(),
       "a refusal is Qdrant's error shape");
}

void decided(const route::SearchHead& head, std::string_view body) {
  const auto decision = route::decide(head, body, kConfig);
  if (const auto* refuse = std::get_if<route::Refuse>(&decision)) {
    is_presentable(*refuse);
  } else if (const auto* stripped = std::get_if<route::PassStripped>(&decision)) {
    must(!stripped->why.empty(), "there is a reason for the log");
    must(stripped->body.size() <= body.size(), "stripping adds nothing");
    must(JsonTree::parse(body).has_value() == JsonTree::parse(stripped->body).has_value(),
         "stripping keeps JSON what it is");
  } else if (const auto* plan = std::get_if<rewrite::RequestPlan>(&decision)) {
    is_planned(head, body, *plan);
  } else if (std::holds_alternative<route::PassWish>(decision)) {
    must(head.wish, "only a wish is told that it was not possible");
  }
}

}  // namespace
}  // namespace qrerank::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qrerank::fuzz;
  const WrittenRequest request(text_of(data, size));
  auto matched = route::match(request.method, request.target);
  if (!matched) return 0;
  const auto judged = route::judge_head(std::move(*matched), request.target, request.fields, kConfig);
  if (const auto* refuse = std::get_if<route::Refuse>(&judged)) {
    is_presentable(*refuse);
  } else if (const auto* head = std::get_if<route::SearchHead>(&judged)) {
    decided(*head, request.body);
  }
  return 0;
}
