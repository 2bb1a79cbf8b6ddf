// One request put to the decision, and what came of it in a word: for the tests of single searches and
// batches.
#pragma once

#include <boost/test/unit_test.hpp>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/route/decide.hpp"

namespace deciding {

using namespace qrerank::proxy::route;
using qrerank::proxy::http::FieldView;
using qrerank::proxy::rewrite::RequestPlan;
using qrerank::proxy::rewrite::SearchPlan;
namespace config = qrerank::proxy::config;

inline const FieldView kFlag{"X-Rerank", "true"};
inline const std::string kQuery = "/collections/c/points/query";
inline const std::string kSearch = "/collections/c/points/search";

inline config::Config with_rule(config::RerankMode mode) {
  config::Config config;
  config::CollectionRule rule;
  rule.pattern = "c";
  rule.mode = mode;
  config.collections.push_back(rule);
  return config;
}

struct Request {
  std::string body;
  std::vector<FieldView> fields = {};
  std::string parameters = {};
  std::string target = kQuery;
  config::Config config = {};
};

inline Decision decided(const Request& request) {
  const std::string target = request.target + (request.parameters.empty() ? "" : "?" + request.parameters);
  const auto judged = judge_head(match("POST", target).value(), target, request.fields, request.config);
  if (const auto* refuse = std::get_if<Refuse>(&judged)) {
    return *refuse;
  }
  BOOST_REQUIRE(std::holds_alternative<SearchHead>(judged));
  return decide(std::get<SearchHead>(judged), request.body, request.config);
}

/// One word for what is not planned, with what tells it from others of its kind; empty for a plan.
inline std::string unplanned(const Decision& decision) {
  if (std::holds_alternative<Pass>(decision)) return "pass";
  if (const auto* wish = std::get_if<PassWish>(&decision)) return wish->no_query ? "wish no_query" : "wish";
  if (const auto* refuse = std::get_if<Refuse>(&decision)) return "400 " + refuse->message;
  if (const auto* stripped = std::get_if<PassStripped>(&decision)) return "stripped " + stripped->body;
  return {};
}

inline RequestPlan planned_request(const Request& request) {
  Decision decision = decided(request);
  BOOST_REQUIRE(std::holds_alternative<RequestPlan>(decision));
  return std::get<RequestPlan>(std::move(decision));
}

}  // namespace deciding
