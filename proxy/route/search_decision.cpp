#include "proxy/route/search_decision.hpp"

#include <algorithm>
#include <utility>

#include "proxy/rewrite/request.hpp"
#include "proxy/rewrite/request_shape.hpp"

namespace qrerank::proxy::route {
namespace {

using config::RerankMode;
using rewrite::JsonValue;

RerankMode mode_of(const config::CollectionRule* rule) {
  return rule == nullptr ? RerankMode::on_request : rule->mode;
}

// The places that speak of one search in their order of precedence; the configuration's follow in merged().
struct Places {
  std::vector<PlaceOptions> all;
  std::size_t in_search = 0;  // the first so many
  std::size_t in_body = 0;    // those and the root of a batch
};

Places places_of(const Circumstances& all, std::vector<PlaceOptions> in_search) {
  Places places;
  places.all = std::move(in_search);
  places.in_search = places.all.size();
  if (all.root) {
    places.all.push_back(*all.root);
  }
  places.in_body = places.all.size();
  places.all.push_back(all.head.headers);
  places.all.push_back(all.head.parameters);
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

std::optional<Refuse> first_error(const Places& places, std::string PlaceOptions::* error) {
  for (std::size_t i = 0; i < places.all.size(); ++i) {
    if (!(places.all[i].*error).empty()) {
      return Refuse{.message = places.all[i].*error, .of_the_request = i >= places.in_search};
    }
  }
  return std::nullopt;
}

// The decision, unless the search is flagged, may be reranked and has sound options.
std::optional<SearchDecision> not_intercepted(const Circumstances& all, const Places& places,
                                              const Flag& flag) {
  if (auto error = first_error(places, &PlaceOptions::flag_error)) {
    return std::move(*error);
  }
  if (!flag.on) {
    return Pass{};
  }
  if (mode_of(all.rule) == RerankMode::never) {
    if (!flag.demand) {
      return PassWish{.no_query = false};
    }
    return Refuse{.message = "use_reranker: the collection `" + all.head.match.collection +
                             "` is configured never to be reranked"};
  }
  if (auto error = first_error(places, &PlaceOptions::option_error)) {
    return std::move(*error);
  }
  return std::nullopt;
}

reranker::Options merged(const Circumstances& all, const Places& places) {
  reranker::Options options;
  for (const PlaceOptions& place : places.all) {
    options.fill_from(place.options);
  }
  if (all.rule != nullptr) {
    options.fill_from(all.rule->options);
  }
  options.fill_from(all.config.rerank.defaults);
  options.use_reranker = true;
  return options;
}

constexpr std::string_view kNoOrder =
    "use_reranker: this search has no relevance order to improve (no query, order_by, sample or context)";
constexpr std::string_view kNoText =
    "use_reranker: there is no text to rerank against, expected rerank_query or a query with a text (a "
    "Document)";

}  // namespace

Circumstances circumstances_of(const SearchHead& head, const config::Config& config) {
  return {.head = head,
          .config = config,
          .checks = Checks::of(config),
          .rule = config::find_rule(config, head.match.collection),
          .root = std::nullopt};
}

std::optional<SearchDecision> decide_without_search(const Circumstances& all) {
  const Places places = places_of(all, {});
  return not_intercepted(all, places, flag_of(places, mode_of(all.rule)));
}

SearchDecision decide_search(const Circumstances& all, const JsonValue& search) {
  const EndpointRow& row = *all.head.match.row;
  std::vector<PlaceOptions> in_search;
  for (const JsonValue& object : rewrite::option_places(search, row.kind)) {
    in_search.push_back(read_object(object, all.checks));
  }
  const Places places = places_of(all, std::move(in_search));
  const Flag flag = flag_of(places, mode_of(all.rule));
  if (auto decided = not_intercepted(all, places, flag)) {
    return std::move(*decided);
  }

  const auto stripped = [&](std::string why) {
    return PassStripped{.body = rewrite::stripped(search, row.kind), .why = std::move(why)};
  };
  const bool groups = row.layout == rewrite::HitLayout::groups;
  const rewrite::SearchShape shape = rewrite::read_search(search, row.kind, groups);
  if (!shape.refused.empty()) {
    return stripped(shape.refused);
  }
  reranker::Options options = merged(all, places);
  const reranker::OptionLimits& limits = all.checks.limits;
  // Moved: a batch may give a long query of its root to any number of searches.
  std::string query_text =
      options.query
          ? std::move(*options.query)
          : rewrite::document_text(search, row.kind, static_cast<std::size_t>(limits.max_query_chars));
  options.query.reset();
  if (!shape.query.has_order || query_text.empty()) {
    if (!flag.demand) {
      return PassWish{.no_query = true};
    }
    return Refuse{.message = std::string(shape.query.has_order ? kNoText : kNoOrder)};
  }
  auto plan = rewrite::plan_search(
      shape, {.options = std::move(options), .limits = limits, .query_text = std::move(query_text)});
  if (!plan) {
    return stripped(std::move(plan.error()));
  }
  plan->embedding_models = rewrite::document_models(search, row.kind);
  return std::move(*plan);
}

}  // namespace qrerank::proxy::route
