// What becomes of a request: precedence, demand and wish, refusals, stripping, plans.
#include "proxy/route/decide.hpp"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "tests/unit/proxy/route/deciding.hpp"

using namespace deciding;

namespace {

std::string outcome(const Request& request) {
  const Decision decision = decided(request);
  const auto* plan = std::get_if<RequestPlan>(&decision);
  return plan == nullptr ? unplanned(decision)
                         : "plan " + std::get<SearchPlan>(plan->searches.at(0)).query_text;
}

SearchPlan planned(const Request& request) {
  const RequestPlan made = planned_request(request);
  SearchPlan plan = std::get<SearchPlan>(made.searches.at(0));
  plan.upstream_body = made.upstream_body;
  return plan;
}

bool refused(const Request& request, std::string_view piece) {
  const std::string text = outcome(request);
  return text.starts_with("400 ") && text.find(piece) != std::string::npos;
}

const FieldView kNoFlag{"X-Rerank", "false"};

}  // namespace

BOOST_AUTO_TEST_SUITE(decisions)

BOOST_AUTO_TEST_CASE(heads) {
  const auto wishes = [](const Request& request) {
    const std::string target = request.target + "?" + request.parameters;
    return std::get<SearchHead>(
               judge_head(match("POST", target).value(), target, request.fields, request.config))
        .wish;
  };
  using config::RerankMode;
  BOOST_TEST(!wishes({.body = {}}));
  BOOST_TEST(wishes({.body = {}, .fields = {kFlag}}));
  BOOST_TEST(wishes({.body = {}, .parameters = "rerank=1"}));
  BOOST_TEST(!wishes({.body = {}, .fields = {kNoFlag}, .parameters = "rerank=1"}));
  BOOST_TEST(wishes({.body = {}, .config = with_rule(RerankMode::always)}));
  BOOST_TEST(!wishes({.body = {}, .parameters = "rerank=0", .config = with_rule(RerankMode::always)}));
  BOOST_TEST(!wishes({.body = {}, .config = with_rule(RerankMode::never)}));
}

BOOST_AUTO_TEST_CASE(without_a_flag_everything_passes) {
  for (const char* body :
       {"", "{", "not json", R"({"query":1})", R"({"query":1,"rerank":false,"rerank_top_k":99999})",
        R"({"query":1,"rerank":null,"rerank_typo":1})", R"({"query":1,"rerank_query":5})",
        R"({"limit":0,"x":"rerank"})", R"({"filter":{"rerank":true}})", R"({"query":"\u0072erank"})",
        R"(["rerank"])", "{\"rerank\":true"}) {
    BOOST_TEST(outcome({.body = body}) == "pass", body);
  }
  BOOST_TEST(outcome({.body = R"({"query":1})",
                      .fields = {{"X-Rerank-Top-K", "5"}},
                      .parameters = "rerank_typo=1"}) == "pass");
}

BOOST_AUTO_TEST_CASE(a_flag_is_checked_wherever_it_is) {
  BOOST_TEST(refused({.body = "{}", .fields = {{"X-Rerank", "maybe"}}}, "use_reranker"));
  BOOST_TEST(refused({.body = "{}", .parameters = "rerank=2"}, "use_reranker"));
  BOOST_TEST(refused({.body = R"({"rerank":1})"}, "use_reranker"));
  BOOST_TEST(refused({.body = R"({"rerank":false,"params":{"rerank":"x"}})"}, "use_reranker"));
  BOOST_TEST(refused({.body = R"({"rerank":false,"use_reranker":true})"}, "use_reranker"));
}

BOOST_AUTO_TEST_CASE(the_flag_by_precedence) {
  using config::RerankMode;
  const std::string text = R"("rerank_query":"q","query":{"nearest":[1]})";
  const std::string with_options =
      R"({"rerank_query":"q","query":{"text":"t","model":"m","options":{"rerank":OPT}},)"
      R"("params":{"rerank":PAR},"rerank":TOP})";
  const auto body = [&](std::string top, std::string params, std::string options) {
    std::string result = with_options;
    result.replace(result.find("TOP"), 3, top);
    result.replace(result.find("PAR"), 3, params);
    result.replace(result.find("OPT"), 3, options);
    return result;
  };
  BOOST_TEST(outcome({.body = body("true", "false", "false"), .fields = {kNoFlag}}) == "plan q");
  BOOST_TEST(outcome({.body = body("false", "true", "true"), .fields = {kFlag}}) == "pass");
  BOOST_TEST(outcome({.body = body("null", "true", "false"), .fields = {kNoFlag}}) == "plan q");
  BOOST_TEST(outcome({.body = body("null", "false", "true"), .fields = {kFlag}}) == "pass");
  BOOST_TEST(outcome({.body = body("null", "null", "true"), .fields = {kNoFlag}}) == "plan q");
  BOOST_TEST(outcome({.body = body("null", "null", "false"), .fields = {kFlag}}) == "pass");
  BOOST_TEST(outcome({.body = body("null", "null", "null"), .fields = {kFlag}, .parameters = "rerank=0"}) ==
             "plan q");
  BOOST_TEST(outcome({.body = body("null", "null", "null"), .fields = {kNoFlag}, .parameters = "rerank=1"}) ==
             "pass");
  BOOST_TEST(outcome({.body = body("null", "null", "null"), .parameters = "rerank=1"}) == "plan q");
  const auto always = with_rule(RerankMode::always);
  BOOST_TEST(outcome({.body = "{" + text + "}", .config = always}) == "plan q");
  BOOST_TEST(outcome({.body = "{" + text + "}", .parameters = "rerank=0", .config = always}) == "pass");
  BOOST_TEST(outcome({.body = "{" + text + R"(,"rerank":false})", .config = always}) == "pass");
  BOOST_TEST(outcome({.body = "{" + text + "}"}) == "pass");
  BOOST_TEST(outcome({.body = "{" + text + R"(,"\u0072erank":true})"}) == "plan q");
}

BOOST_AUTO_TEST_CASE(options_by_precedence) {
  config::Config config = with_rule(config::RerankMode::on_request);
  config.collections[0].options.top_k = 60;
  config.collections[0].options.weight = 0.6;
  config.collections[0].options.timeout_ms = 600;
  config.rerank.defaults.top_k = 70;
  config.rerank.defaults.weight = 0.7;
  config.rerank.defaults.timeout_ms = 700;
  config.rerank.defaults.score_threshold = 0.75;
  const auto top_k = [&](std::string body, std::vector<FieldView> fields, std::string parameters) {
    return planned({.body = std::move(body),
                    .fields = std::move(fields),
                    .parameters = std::move(parameters),
                    .config = config})
        .top_k;
  };
  const std::string document = R"("query":{"text":"t","model":"m","options":{"rerank_top_k":22}})";
  const std::string params = R"("params":{"rerank_top_k":21})";
  const std::string top = R"("rerank":true)";
  const std::vector<FieldView> header = {{"X-Rerank-Top-K", "23"}};
  BOOST_TEST(top_k("{" + top + R"(,"rerank_top_k":20,)" + document + "," + params + "}", header,
                   "rerank_top_k=24") == 20u);
  BOOST_TEST(top_k("{" + top + "," + document + "," + params + "}", header, "rerank_top_k=24") == 21u);
  BOOST_TEST(top_k("{" + top + "," + document + "}", header, "rerank_top_k=24") == 22u);
  const std::string plain = "{" + top + R"(,"query":{"text":"t","model":"m"}})";
  BOOST_TEST(top_k(plain, header, "rerank_top_k=24") == 23u);
  BOOST_TEST(top_k(plain, {}, "rerank_top_k=24") == 24u);
  BOOST_TEST(top_k(plain, {}, "") == 60u);
  config.collections[0].options.top_k.reset();
  BOOST_TEST(top_k(plain, {}, "") == 70u);
  config.rerank.defaults.top_k.reset();
  BOOST_TEST(top_k(plain, {}, "") == 50u);

  const SearchPlan plan =
      planned({.body = plain, .fields = {{"X-Rerank-Timeout-Ms", "300"}}, .config = config});
  BOOST_TEST(plan.options.timeout_ms.value() == 300);
  BOOST_TEST(plan.options.weight.value() == 0.6);
  BOOST_TEST(plan.options.score_threshold.value() == 0.75);
  BOOST_TEST(plan.options.use_reranker.value());
  BOOST_TEST(plan.first_non_empty);
}

BOOST_AUTO_TEST_CASE(bad_options_are_refused_in_every_place) {
  const std::string good = R"({"rerank":true,"rerank_query":"q","query":1})";
  BOOST_TEST(outcome({.body = good}) == "plan q");
  BOOST_TEST(
      refused({.body = R"({"rerank":true,"rerank_query":"q","query":1,"rerank_top_k":500})"}, "10 to 200"));
  BOOST_TEST(refused({.body = R"({"rerank":true,"rerank_query":"q","query":1,"params":{"rerank_topk":50}})"},
                     "did you mean rerank_top_k?"));
  BOOST_TEST(refused({.body = R"({"rerank":true,"query":{"text":"t","options":{"rerank_weight":2}}})"},
                     "rerank_weight"));
  BOOST_TEST(refused({.body = good, .fields = {{"X-Rerank-Topk", "50"}}}, "X-Rerank-Top-K"));
  BOOST_TEST(refused({.body = good, .parameters = "rerank_top_k=five"}, "rerank_top_k"));
  // Also one that a higher place overrides, and before anything that Qdrant would refuse.
  BOOST_TEST(
      refused({.body = R"({"rerank":true,"rerank_top_k":20,"query":1})", .parameters = "rerank_top_k=1"},
              "rerank_top_k"));
  BOOST_TEST(refused({.body = R"({"rerank":true,"rerank_top_k":1,"limit":0})"}, "rerank_top_k"));
  BOOST_TEST(refused({.body = "not json", .fields = {kFlag, {"X-Rerank-Top-K", "1"}}}, "rerank_top_k"));
  BOOST_TEST(refused({.body = R"({"rerank":true,"rerank_model":"nope","query":1})"}, "rerank_model"));
}

BOOST_AUTO_TEST_CASE(query_texts) {
  BOOST_TEST(outcome({.body = R"({"rerank":true,"query":{"text":"a fox","model":"m"}})"}) == "plan a fox");
  BOOST_TEST(
      outcome({.body = R"({"rerank":true,"rerank_query":"q","query":{"text":"a fox","model":"m"}})"}) ==
      "plan q");
  BOOST_TEST(outcome({.body = R"({"rerank":true,"query":{"nearest":{"text":"a fox","model":"m"}}})"}) ==
             "plan a fox");
  BOOST_TEST(outcome({.body = R"({"prefetch":[{"query":{"text":"p","model":"m"}}],"query":{"fusion":"rrf"}})",
                      .fields = {kFlag}}) == "plan p");
  BOOST_TEST(outcome({.body = R"({"query":[1]})", .fields = {kFlag, {"X-Rerank-Query", "caf%C3%A9"}}}) ==
             "plan caf\xc3\xa9");
  BOOST_TEST(outcome({.body = R"({"vector":[1],"limit":3,"rerank":true,"rerank_query":"q"})",
                      .target = kSearch}) == "plan q");
  config::Config short_texts;
  short_texts.rerank.limits.max_query_chars = 3;
  BOOST_TEST(outcome({.body = R"({"rerank":true,"query":{"text":"a fox","model":"m"}})",
                      .config = short_texts}) == "plan a f");
  BOOST_TEST(refused({.body = R"({"rerank":true,"rerank_query":"a fox","query":1})", .config = short_texts},
                     "rerank_query"));
}

BOOST_AUTO_TEST_CASE(demand_and_wish_without_a_query) {
  const std::vector<std::string> without = {
      R"("query":[1])",
      R"("query":7)",
      R"("query":{"recommend":{"positive":[1]}})",
      R"("query":{"text":" ","model":"m"})",
  };
  for (const std::string& query : without) {
    BOOST_TEST(refused({.body = "{" + query + R"(,"rerank":true})"}, "rerank_query"), query);
    BOOST_TEST(outcome({.body = "{" + query + "}", .fields = {kFlag}}) == "wish no_query", query);
    BOOST_TEST(outcome({.body = "{" + query + "}", .parameters = "rerank=1"}) == "wish no_query", query);
    BOOST_TEST(outcome({.body = "{" + query + "}", .config = with_rule(config::RerankMode::always)}) ==
                   "wish no_query",
               query);
  }
  // No relevance order to improve, whatever the text.
  for (const std::string query : {R"("limit":3)", R"("query":null)", R"("query":{"order_by":"x"})",
                                  R"("query":{"sample":"random"})", R"("query":{"context":[]})"}) {
    BOOST_TEST(refused({.body = "{" + query + R"(,"rerank":true,"rerank_query":"q"})"}, "no relevance order"),
               query);
    BOOST_TEST(
        outcome({.body = "{" + query + "}", .fields = {kFlag, {"X-Rerank-Query", "q"}}}) == "wish no_query",
        query);
  }
  // A demand in `params` or a Document is one as well.
  BOOST_TEST(
      refused({.body = R"({"query":[1],"params":{"rerank":true}})", .fields = {kFlag}}, "rerank_query"));
  BOOST_TEST(outcome({.body = R"({"vector":[1],"limit":3})", .fields = {kFlag}, .target = kSearch}) ==
             "wish no_query");
}

BOOST_AUTO_TEST_CASE(never) {
  const auto rule = with_rule(config::RerankMode::never);
  const std::string document = R"({"query":{"text":"t","model":"m"}})";
  BOOST_TEST(
      refused({.body = R"({"query":{"text":"t","model":"m"},"rerank":true})", .config = rule}, "never"));
  BOOST_TEST(outcome({.body = document, .fields = {kFlag}, .config = rule}) == "wish");
  BOOST_TEST(outcome({.body = "not json", .fields = {kFlag}, .config = rule}) == "wish");
  BOOST_TEST(outcome({.body = document, .config = rule}) == "pass");
  BOOST_TEST(outcome({.body = R"({"rerank":false})", .fields = {kFlag}, .config = rule}) == "pass");
}

BOOST_AUTO_TEST_CASE(what_qdrant_would_refuse_goes_stripped) {
  BOOST_TEST(outcome({.body = "{\"query\":1,", .fields = {kFlag}}) == "stripped {\"query\":1,");
  BOOST_TEST(outcome({.body = "", .fields = {kFlag}}) == "stripped ");
  BOOST_TEST(outcome({.body = "[]", .fields = {kFlag}}) == "stripped []");
  BOOST_TEST(outcome({.body = R"({"rerank":true,"query":1,"limit":0})"}) ==
             R"(stripped {"query":1,"limit":0})");
  BOOST_TEST(outcome({.body = R"({"query":1,"limit":1,"rerank":true,"limit":1})"}) ==
             R"(stripped {"query":1,"limit":1,"limit":1})");
  BOOST_TEST(outcome({.body = R"({"rerank":true,"rerank_query":"q","query":1,"with_payload":["sp ace"]})"}) ==
             R"(stripped {"query":1,"with_payload":["sp ace"]})");
  BOOST_TEST(outcome({.body = R"({"vector":[1],"rerank":true,"params":{"rerank_query":"q","exact":true}})",
                      .target = kSearch}) == R"(stripped {"vector":[1],"params":{"exact":true}})");
}

BOOST_AUTO_TEST_CASE(the_other_single_rows) {
  const auto recommend = planned({.body = R"({"positive":[1],"limit":3,"rerank":true,"rerank_query":"q"})",
                                  .target = "/collections/c/points/recommend"});
  BOOST_TEST(recommend.upstream_body ==
             R"({"positive":[1],"limit":50,"with_payload":["content","text","document","page_content"]})");
  BOOST_TEST(outcome({.body = R"({"context":[],"limit":3,"rerank":true,"rerank_query":"q"})",
                      .target = "/collections/c/points/discover"})
                 .starts_with("400 "));
}

BOOST_AUTO_TEST_SUITE_END()
