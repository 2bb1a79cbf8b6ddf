#include "proxy/route/decide.hpp"

#include <string>
#include <utility>
#include <vector>

#include "proxy/rewrite/json_spans.hpp"
#include "proxy/rewrite/request.hpp"
#include "proxy/rewrite/request_batch.hpp"

namespace qrerank::proxy::route {
namespace {

using config::RerankMode;
using rewrite::JsonTree;
using rewrite::JsonValue;

bool head_wishes(const PlaceOptions& headers, const PlaceOptions& parameters,
                 const config::CollectionRule* rule) {
  if (headers.flag) return *headers.flag;
  if (parameters.flag) return *parameters.flag;
  return rule != nullptr && rule->mode == RerankMode::always;
}

// The decisions that a search and a request have in common, unchanged.
struct ToDecision {
  Decision operator()(rewrite::SearchPlan plan) const { return rewrite::single_plan(std::move(plan)); }
  template <class Outcome>
  Decision operator()(Outcome outcome) const {
    return outcome;
  }
};

Decision decision_of(SearchDecision decided) {
  return std::visit(ToDecision(), std::move(decided));
}

// One search after another, as far as the batch is not settled.
class BatchDecision {
 public:
  explicit BatchDecision(const Circumstances& all) : all_(all) {}

  // False: the batch is refused.
  bool add(const JsonValue& search) {
    SearchDecision decided = decide_search(all_, search);
    if (auto* refuse = std::get_if<Refuse>(&decided)) {
      refused_ = std::move(*refuse);
      if (!refused_.of_the_request) {
        refused_.message =
            "searches[" + std::to_string(searches_.size()) + "]: " + std::move(refused_.message);
      }
      return false;
    }
    if (auto* plan = std::get_if<rewrite::SearchPlan>(&decided)) {
      planned_ = true;
      searches_.emplace_back(std::move(*plan));
      return true;
    }
    rewrite::PassingSearch passing;
    if (const auto* wish = std::get_if<PassWish>(&decided)) {
      wished_ = true;
      passing.no_query = wish->no_query;
      no_query_ = no_query_ || wish->no_query;
    } else if (auto* stripped = std::get_if<PassStripped>(&decided); stripped != nullptr && why_.empty()) {
      why_ = std::move(stripped->why);
    }
    passing.own_body = rewrite::stripped(search, all_.head.match.row->kind);
    searches_.emplace_back(std::move(passing));
    return true;
  }

  Decision of_all(const JsonValue& body) {
    if (!why_.empty()) {
      return PassStripped{.body = rewrite::stripped_batch(body, all_.head.match.row->kind),
                          .why = std::move(why_)};
    }
    if (!planned_ && !searches_.empty()) {
      return wished_ ? Decision(PassWish{.no_query = no_query_}) : Decision(Pass{});
    }
    return rewrite::batch_plan(body, all_.head.match.row->layout, std::move(searches_));
  }

  Refuse take_refusal() { return std::move(refused_); }

 private:
  const Circumstances& all_;
  std::vector<rewrite::PlannedSearch> searches_;
  bool planned_ = false;
  bool wished_ = false;
  bool no_query_ = false;
  std::string why_;  // Qdrant would refuse one of them; empty: none that is known
  Refuse refused_;
};

Decision decide_batch(Circumstances all, const JsonValue& body) {
  if (body.is(rewrite::JsonKind::object)) {
    all.root = read_object(body, all.checks);
  }
  const auto searches = rewrite::searches_of(body);
  if (!searches || searches->empty()) {
    if (auto decided = decide_without_search(all)) {
      return decision_of(std::move(*decided));
    }
  }
  if (!searches) {
    return PassStripped{.body = rewrite::stripped_batch(body, all.head.match.row->kind),
                        .why = searches.error()};
  }
  BatchDecision batch(all);
  for (const JsonValue& search : *searches) {
    if (!batch.add(search)) {
      return batch.take_refusal();
    }
  }
  return batch.of_all(body);
}

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
      return Refuse{.message = place->flag_error, .of_the_request = true};
    }
  }
  head.wish = head_wishes(head.headers, head.parameters, config::find_rule(config, head.match.collection));
  return head;
}

Decision decide(const SearchHead& head, std::string_view body, const config::Config& config) {
  const bool may_speak =
      body.find("rerank") != std::string_view::npos || body.find("\\u") != std::string_view::npos;
  if (!head.wish && !may_speak) {
    return Pass{};
  }
  const Circumstances all = circumstances_of(head, config);
  const auto tree = JsonTree::parse(body);
  if (tree) {
    return head.match.row->body == BodyShape::batch ? decide_batch(all, tree->root())
                                                    : decision_of(decide_search(all, tree->root()));
  }
  // Nothing of the body can be told: the head and the configuration alone speak.
  if (auto decided = decide_without_search(all)) {
    return decision_of(std::move(*decided));
  }
  return PassStripped{.body = std::string(body), .why = "not JSON: " + tree.error()};
}

}  // namespace qrerank::proxy::route
