#include "proxy/route/decide.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "proxy/rewrite/request.hpp"
#include "proxy/rewrite/request_shape.hpp"

namespace qrerank::proxy::route {
namespace {

using config::RerankMode;
using rewrite::JsonTree;
using rewrite::JsonValue;

RerankMode mode_of(const config::CollectionRule* rule) {
  return rule == nullptr ? RerankMode::on_request : rule->mode;
}

bool head_wishes(const PlaceOptions& headers, const PlaceOptions& parameters, RerankMode mode) {
  if (headers.flag) return *headers.flag;
  if (parameters.flag) return *parameters.flag;
  return mode == RerankMode::always;
}

// The places of one search in their order of precedence; the configuration's follow in merged().
struct Places {
  std::vector<PlaceOptions> all;
  std::size_t in_body = 0;  // the first so many
};

Places places_of(const SearchHead& head, const JsonValue& search, const Checks& checks) {
  Places places;
  for (const JsonValue& object : rewrite::option_places(search, head.match.row->kind)) {
    places.all.push_back(read_object(object, checks));
  }
  places.in_body = places.all.size();
  places.all.push_back(head.headers);
  places.all.push_back(head.parameters);
  return places;
}

// Which place decides the flag.
struct Flag {
  bool on = false;
  bool demand = false;  // the body said so
};

Flag flag_of(const Places& places, RerankMode mode) {
  const auto said = std::find_if(places.all.begin(), places.all.end(),
                                 [](const PlaceOptions& place) { return place.flag.has_value(); });
  if (said == places.all.end()) {
    return {.on = mode == RerankMode::always, .demand = false};
  }
  return {.on = *said->flag,
          .demand = said < places.all.begin() + static_cast<std::ptrdiff_t>(places.in_body)};
}

const std::string* first_error(const Places& places, std::string PlaceOptions::* error) {
  for (const PlaceOptions& place : places.all) {
    if (!(place.*error).empty()) {
      return &(place.*error);
    }
  }
  return nullptr;
}

reranker::Options merged(const Places& places, const config::CollectionRule* rule,
                         const config::Config& config) {
  reranker::Options options;
  for (const PlaceOptions& place : places.all) {
    options.fill_from(place.options);
  }
  if (rule != nullptr) {
    options.fill_from(rule->options);
  }
  options.fill_from(config.rerank.defaults);
  options.use_reranker = true;
  return options;
}

PassStripped stripped_search(const JsonValue& search, rewrite::SearchKind kind, std::string why) {
  return {.body = rewrite::stripped(search, kind), .why = std::move(why)};
}

constexpr std::string_view kNoOrder =
    "use_reranker: this search has no relevance order to improve (no query, order_by, sample or context)";
constexpr std::string_view kNoText =
    "use_reranker: there is no text to rerank against, expected rerank_query or a query with a text (a "
    "Document)";

}  // namespace

HeadJudgement judge_head(Match matched, std::string_view target, std::span<const http::FieldView> fields,
                         const config::Config& config) {
  const Checks checks = Checks::of(config);
  SearchHead head;
  head.match = std::move(matched);
  head.headers = read_headers(fields, checks);
  head.parameters = read_parameters(split_target(target).query.value_or(std::string_view()), checks);
  for (const PlaceOptions* place : {&head.headers, &head.parameters}) {
    if (!place->flag_error.empty()) {
      return Refuse{place->flag_error};
    }
  }
  head.wish =
      head_wishes(head.headers, head.parameters, mode_of(config::find_rule(config, head.match.collection)));
  return head;
}

Decision decide(const SearchHead& head, std::string_view body, const config::Config& config) {
  const bool may_speak =
      body.find("rerank") != std::string_view::npos || body.find("\\u") != std::string_view::npos;
  if (!head.wish && !may_speak) {
    return Pass{};
  }
  const auto tree = JsonTree::parse(body);
  if (tree) {
    return decide_search(head, tree->root(), config);
  }
  if (!head.wish) {
    return Pass{};
  }
  if (mode_of(config::find_rule(config, head.match.collection)) == RerankMode::never) {
    return PassWish{.no_query = false};
  }
  for (const PlaceOptions* place : {&head.headers, &head.parameters}) {
    if (!place->option_error.empty()) {
      return Refuse{place->option_error};
    }
  }
  return PassStripped{.body = std::string(body), .why = "not JSON: " + tree.error()};
}

Decision decide_search(const SearchHead& head, const JsonValue& search, const config::Config& config) {
  const rewrite::SearchKind kind = head.match.row->kind;
  const Checks checks = Checks::of(config);
  const config::CollectionRule* rule = config::find_rule(config, head.match.collection);
  const RerankMode mode = mode_of(rule);

  const Places places = places_of(head, search, checks);
  if (const std::string* error = first_error(places, &PlaceOptions::flag_error)) {
    return Refuse{*error};
  }
  const Flag flag = flag_of(places, mode);
  if (!flag.on) {
    return Pass{};
  }
  if (mode == RerankMode::never) {
    return flag.demand ? Decision(Refuse{"use_reranker: the collection `" + head.match.collection +
                                         "` is configured never to be reranked"})
                       : Decision(PassWish{.no_query = false});
  }
  if (const std::string* error = first_error(places, &PlaceOptions::option_error)) {
    return Refuse{*error};
  }

  const rewrite::SearchShape shape = rewrite::read_search(search, kind);
  if (!shape.refused.empty()) {
    return stripped_search(search, kind, shape.refused);
  }
  // A named instruction of the configuration would take its text's place here.
  reranker::Options options = merged(places, rule, config);
  std::string query_text =
      options.query
          ? *options.query
          : rewrite::document_text(search, kind, static_cast<std::size_t>(checks.limits.max_query_chars));
  if (!shape.query.has_order || query_text.empty()) {
    return flag.demand ? Decision(Refuse{std::string(shape.query.has_order ? kNoText : kNoOrder)})
                       : Decision(PassWish{.no_query = true});
  }
  auto plan = rewrite::plan_search(
      shape, {.options = std::move(options), .limits = checks.limits, .query_text = std::move(query_text)});
  if (!plan) {
    return stripped_search(search, kind, std::move(plan.error()));
  }
  return std::move(*plan);
}

}  // namespace qrerank::proxy::route
