// What becomes of a batch: demand and wish for each search, options of the root, refusals, bytes.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "proxy/rewrite/request_batch.hpp"
#include "proxy/route/decide.hpp"
#include "tests/unit/proxy/route/deciding.hpp"

using namespace deciding;
using namespace qrerank::proxy::rewrite;

namespace {

// The same request of the batch endpoint.
Request batched(Request request) {
  request.target += "/batch";
  return request;
}

// "plan q,pass,no_query": a word for each search of a plan.
std::string outcome(Request request) {
  const Decision decision = decided(batched(std::move(request)));
  const auto* made = std::get_if<RequestPlan>(&decision);
  if (made == nullptr) {
    return unplanned(decision);
  }
  std::string words;
  for (const PlannedSearch& search : made->searches) {
    words += words.empty() ? "plan " : ",";
    if (const auto* plan = std::get_if<SearchPlan>(&search)) {
      words += plan->query_text;
    } else {
      words += std::get<PassingSearch>(search).no_query ? "no_query" : "pass";
    }
  }
  return words.empty() ? "plan of nothing" : words;
}

RequestPlan planned(Request request) {
  return planned_request(batched(std::move(request)));
}

const std::string kPlain = R"({"query":1})";
const std::string kFlagged = R"({"query":1,"rerank":true,"rerank_query":"q"})";
const std::string kDocument = R"({"query":{"text":"fox","model":"m"}})";

std::string batch(const std::string& searches, const std::string& root = "") {
  return R"({"searches":[)" + searches + "]" + root + "}";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(batch_decisions)

BOOST_AUTO_TEST_CASE(nothing_flagged_passes) {
  for (const std::string& body :
       {std::string(), std::string("{"), std::string(R"({"searches":[]})"), batch(kPlain),
        batch(R"({"query":1,"rerank":false,"rerank_top_k":1})"), batch(R"({"filter":{"rerank":true}})"),
        batch(kPlain, R"(,"rerank":null,"rerank_typo":1)"), std::string(R"({"searches":"rerank"})"),
        std::string(R"({"x":{"rerank":true}})")}) {
    BOOST_TEST(outcome({.body = body}) == "pass", body);
  }
}

BOOST_AUTO_TEST_CASE(each_search_by_itself) {
  BOOST_TEST(outcome({.body = batch(kFlagged + "," + kPlain)}) == "plan q,pass");
  BOOST_TEST(outcome({.body = batch(kPlain + "," + kFlagged + "," + kFlagged)}) == "plan pass,q,q");
  // A wish of the head: what has no query text goes along.
  BOOST_TEST(outcome({.body = batch(kPlain + "," + kDocument), .fields = {kFlag}}) == "plan no_query,fox");
  BOOST_TEST(outcome({.body = batch(kPlain + "," + kPlain), .fields = {kFlag}}) == "wish no_query");
  BOOST_TEST(outcome({.body = batch(R"({"query":1,"rerank":false},)" + kDocument), .fields = {kFlag}}) ==
             "plan pass,fox");
  const auto always = with_rule(config::RerankMode::always);
  BOOST_TEST(outcome({.body = batch(kPlain + "," + kDocument), .config = always}) == "plan no_query,fox");
}

BOOST_AUTO_TEST_CASE(the_root_speaks_for_all_that_do_not) {
  const std::string root = R"(,"use_reranker":true,"rerank_query":"root","rerank_top_k":20)";
  const auto plan =
      planned({.body = batch(kPlain + R"(,{"query":1,"rerank_query":"own","rerank_top_k":30})", root)});
  const auto& first = std::get<SearchPlan>(plan.searches.at(0));
  const auto& second = std::get<SearchPlan>(plan.searches.at(1));
  BOOST_TEST(first.query_text == "root");
  BOOST_TEST(first.top_k == 20U);
  BOOST_TEST(second.query_text == "own");
  BOOST_TEST(second.top_k == 30U);
  BOOST_TEST(outcome({.body = batch(R"({"query":1,"rerank":false},)" + kPlain, root)}) == "plan pass,root");
  // The root wins over the head, a search's params and Documents over the root.
  BOOST_TEST(outcome({.body = batch(kDocument, R"(,"rerank":false)"), .fields = {kFlag}}) == "pass");
  BOOST_TEST(outcome({.body = batch(R"({"query":1,"params":{"rerank":false}},)" + kDocument, root)}) ==
             "plan pass,root");
}

BOOST_AUTO_TEST_CASE(a_flag_at_the_root_is_a_demand) {
  const std::string refused = outcome({.body = batch(kDocument + "," + kPlain, R"(,"rerank":true)")});
  BOOST_TEST(refused.starts_with("400 searches[1]: use_reranker: "), refused);
  BOOST_TEST(outcome({.body = batch(kDocument + R"(,{"query":1,"rerank":false})", R"(,"rerank":true)")}) ==
             "plan fox,pass");
  // Also where the head wishes the same.
  BOOST_TEST(outcome({.body = batch(kPlain, R"(,"rerank":true)"), .fields = {kFlag}})
                 .starts_with("400 searches[0]: use_reranker: "));
}

BOOST_AUTO_TEST_CASE(one_refused_search_refuses_the_batch) {
  BOOST_TEST(outcome({.body = batch(kFlagged + R"(,{"query":1,"rerank":true})")}).starts_with("400 sea"));
  BOOST_TEST(outcome({.body = batch(kFlagged + R"(,{"query":{"sample":"random"},"rerank":true})")})
                 .starts_with("400 searches[1]: use_reranker: this search has no relevance order"));
  BOOST_TEST(outcome({.body = batch(kFlagged + R"(,{"query":1,"rerank":true,"rerank_topk":20})")})
                 .starts_with("400 searches[1]: rerank_topk: unknown option"));
  BOOST_TEST(outcome({.body = batch(R"({"query":1,"rerank":1})")}).starts_with("400 searches[0]: "));
  // A bad option of the root or the head is not one search's.
  BOOST_TEST(outcome({.body = batch(kFlagged, R"(,"rerank_top_k":5)")}).starts_with("400 rerank_top_k: "));
  BOOST_TEST(outcome({.body = batch(kFlagged), .fields = {{"X-Rerank-Top-K", "5"}}})
                 .starts_with("400 rerank_top_k: "));
  BOOST_TEST(outcome({.body = batch(kPlain, R"(,"rerank_top_k":5)")}) == "pass");
  // It is refused although Qdrant would refuse another search.
  BOOST_TEST(outcome({.body = batch(R"({"query":1,"limit":0,"rerank":true},{"query":1,"rerank":1})")})
                 .starts_with("400 searches[1]: "));
}

BOOST_AUTO_TEST_CASE(a_search_that_qdrant_refuses_sends_the_batch_on_stripped) {
  BOOST_TEST(outcome({.body = batch(R"({"query":1,"limit":0,"rerank":true}, )" + kFlagged,
                                    R"(,"rerank_top_k":20)")}) ==
             R"(stripped {"searches":[{"query":1,"limit":0}, {"query":1}]})");
  BOOST_TEST(outcome({.body = R"({"rerank":true})"}) == "stripped {}");
  BOOST_TEST(outcome({.body = R"({"rerank":true,"searches":{}})"}) == R"(stripped {"searches":{}})");
  BOOST_TEST(outcome({.body = R"({"rerank":true,"searches":[1]})"}) == R"(stripped {"searches":[1]})");
  BOOST_TEST(outcome({.body = R"({"searches":[],"rerank":true,"searches":[]})"}) ==
             R"(stripped {"searches":[],"searches":[]})");
  BOOST_TEST(outcome({.body = R"({"searches":[null],"rerank":true})"}) == R"(stripped {"searches":[null]})");
  BOOST_TEST(outcome({.body = "[]", .fields = {kFlag}}) == "stripped []");
  BOOST_TEST(outcome({.body = "nonsense", .fields = {kFlag}}) == "stripped nonsense");
  BOOST_TEST(outcome({.body = batch(R"({"vector":[1],"rerank":true,"rerank_query":"q"})"),
                      .target = kSearch}) == R"(stripped {"searches":[{"vector":[1]}]})");
}

BOOST_AUTO_TEST_CASE(an_empty_batch) {
  BOOST_TEST(outcome({.body = batch("", R"(,"rerank":true)")}) == "plan of nothing");
  BOOST_TEST(planned({.body = batch("", R"(,"rerank":true)")}).upstream_body == R"({"searches":[]})");
  BOOST_TEST(outcome({.body = batch("", R"(,"rerank":true,"rerank_top_k":1)")}).starts_with("400 rerank_t"));
  BOOST_TEST(outcome({.body = batch(""), .fields = {kFlag}}) == "plan of nothing");
}

BOOST_AUTO_TEST_CASE(a_collection_that_is_never_reranked) {
  const auto never = with_rule(config::RerankMode::never);
  BOOST_TEST(outcome({.body = batch(kFlagged), .config = never}).starts_with("400 searches[0]: use_rer"));
  BOOST_TEST(outcome({.body = batch(kDocument), .fields = {kFlag}, .config = never}) == "wish");
  BOOST_TEST(outcome({.body = batch("", R"(,"rerank":true)"), .config = never}).starts_with("400 use_rer"));
}

BOOST_AUTO_TEST_CASE(bytes_of_a_planned_batch) {
  const auto plan = planned(
      {.body =
           R"( { "rerank" : true , "searches" : [ {"query" : 1e0, "limit":3,"rerank_query":"q"} , {"query":2,"use_reranker":false} ,{"query":3}], "x" : [9007199254740993], "rerank_query":"r" } )"});
  BOOST_TEST(plan.batch);
  BOOST_TEST(plan.widened);
  BOOST_TEST(
      plan.upstream_body ==
      R"( { "searches" : [ {"query" : 1e0, "limit":50,"with_payload":["content","text","document","page_content"]} , {"query":2} ,{"query":3,"limit":50,"with_payload":["content","text","document","page_content"]}], "x" : [9007199254740993] } )");
  BOOST_TEST(own_body(plan.searches.at(0)) == R"({"query" : 1e0, "limit":3})");
  BOOST_TEST(own_body(plan.searches.at(1)) == R"({"query":2})");
  BOOST_TEST(own_request(true, {own_body(plan.searches.at(0)), own_body(plan.searches.at(2))}) ==
             R"({"searches":[{"query" : 1e0, "limit":3},{"query":3}]})");
  BOOST_TEST(own_request(false, {"{}"}) == "{}");
  // Nothing to widen: the client's own but for the options.
  BOOST_TEST(!planned({.body = batch(
                           R"({"query":1,"limit":60,"with_payload":true,"rerank":true,"rerank_query":"q"})")})
                  .widened);
}

BOOST_AUTO_TEST_SUITE_END()
