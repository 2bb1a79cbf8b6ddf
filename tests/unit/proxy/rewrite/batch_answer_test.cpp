// Answers to a batch: several results in one body, and what is told of them.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "one_result.hpp"

using namespace qrerank::proxy::rewrite;
using std::chrono::microseconds;

namespace {

const TextFields& fields() {
  static const TextFields kFields = TextFields::parse(std::vector<std::string>{"text"}, true).value();
  return kFields;
}

ResultReading reading(HitLayout layout) {
  return {.layout = layout, .fields = &fields(), .top_k = 50};
}

Report failed(std::string reason, std::string model = "") {
  Report report;
  report.reason = std::move(reason);
  report.model = std::move(model);
  return report;
}

Report used(std::string model, std::size_t candidates, int compute_us) {
  Report report;
  report.used = true;
  report.model = std::move(model);
  report.candidates = candidates;
  report.spent = Spent{.upstream = {}, .scoring = {.compute = microseconds(compute_us)}};
  return report;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(batch_answer_suite)

BOOST_AUTO_TEST_CASE(results_come_apart_and_together) {
  const std::string first = R"([{"id":1,"score":0.9,"payload":{"text":"a\nb"}},{"id":2,"score":0.8}])";
  const std::string second = R"([{"id":"raw" , "x":[1, 2]}])";
  const std::string third = R"([{"id":3,"score":0.7,"payload":{"text":"c"}}])";
  const std::string body =
      R"({"result":[)" + first + " , " + second + "," + third + R"(],"status":"ok","time":0.1})";
  const std::vector<ResultReading> readings = {reading(HitLayout::list), {}, reading(HitLayout::list)};
  const auto answer = extract(body, true, readings);
  BOOST_REQUIRE_MESSAGE(answer.has_value(), (answer ? "" : answer.error().why));
  BOOST_REQUIRE_EQUAL(answer->sets.size(), 3U);
  BOOST_TEST(answer->head == R"({"result":)");
  BOOST_TEST(answer->tail == R"(,"status":"ok","time":0.1)");
  BOOST_TEST(answer->sets[0].whole == first);
  BOOST_TEST(answer->sets[1].whole == second);
  BOOST_TEST(answer->sets[1].candidates.empty());
  BOOST_TEST(answer->sets[2].whole == third);
  BOOST_TEST(answer->sets[0].candidates.at(0).text == "a\nb");
  BOOST_TEST(answer->sets[2].candidates.at(0).text == "c");

  Projection none;
  const Page page = {.hits = {{.hit = 1, .score = {}, .rerank_score = {}}}, .groups = {}};
  std::vector<ResultPart> parts(3);
  parts[0] = {.as_it_is = {}, .set = &answer->sets[0], .page = &page, .projection = &none};
  parts[1].as_it_is = answer->sets[1].whole;
  parts[2].as_it_is = "[7]";
  const Report report = batch_report({failed("timeout", "m"), {}, failed("no_text")}, {}, {});
  BOOST_TEST(
      compose(*answer, parts, report) ==
      R"({"result":[[{"id":2,"score":0.8}],)" + second +
          R"(,[7]],"status":"ok","time":0.1,"reranking_used":false,"reranker_model":"m","reranking_reason":"timeout",)"
          R"("reranking":[{"reranking_used":false,"reranker_model":"m","reranking_reason":"timeout"},{"reranking_used":false},{"reranking_used":false,"reranking_reason":"no_text"}]})");
}

BOOST_AUTO_TEST_CASE(results_of_the_query_endpoint) {
  const std::string body = R"({"result":[{"points":[{"id":1}],"x":1},{"points":[]}]})";
  const std::vector<ResultReading> readings = {reading(HitLayout::points), reading(HitLayout::points)};
  const auto answer = extract(body, true, readings);
  BOOST_REQUIRE(answer.has_value());
  BOOST_TEST(answer->sets[0].head == R"({"points":[)");
  BOOST_TEST(answer->sets[0].tail == R"(],"x":1})");
  BOOST_TEST(answer->sets[1].whole == R"({"points":[]})");
}

BOOST_AUTO_TEST_CASE(as_many_results_as_searches) {
  for (const char* body : {R"({"result":[]})", R"({"result":[[]]})", R"({"result":[[],[],[]]})",
                           R"({"result":{}})", R"({"result":[[],{}]})", R"({"result":[[],[]})"}) {
    const std::vector<ResultReading> readings = {reading(HitLayout::list), reading(HitLayout::list)};
    BOOST_TEST(!extract(body, true, readings).has_value(), body);
  }
  BOOST_TEST(extract(R"({"result":[]})", true, std::vector<ResultReading>()).has_value());
  BOOST_TEST(extract_whole(R"({"result":[{"points":[]},7]})", true, 2).value().sets[1].whole == "7");
  BOOST_TEST(extract_whole(R"({"result":{"groups":[]}})", false, 1).value().sets[0].whole ==
             R"({"groups":[]})");
}

BOOST_AUTO_TEST_CASE(what_a_batch_tells) {
  const Report all = batch_report({failed("timeout", "slow"), {}, used("one", 3, 500), used("two", 4, 900)},
                                  microseconds(100), microseconds(1234));
  BOOST_TEST(
      report_members(all) ==
      R"("reranking_used":true,"reranker_model":"one","reranking_time_ms":1.234,"reranking_candidates":7,"reranking":[)"
      R"({"reranking_used":false,"reranker_model":"slow","reranking_reason":"timeout"},{"reranking_used":false},)"
      R"({"reranking_used":true,"reranker_model":"one","reranking_time_ms":0.5,"reranking_candidates":3},)"
      R"({"reranking_used":true,"reranker_model":"two","reranking_time_ms":0.9,"reranking_candidates":4}])");
  std::string timing;
  for (const auto& [name, value] : report_headers(all)) {
    timing = name == "Server-Timing" ? value : timing;
    BOOST_TEST(name != "X-Reranking-Reason");
  }
  BOOST_TEST(timing == "upstream;dur=0.100, tokenize;dur=0.000, queue;dur=0.000, compute;dur=0.900");
  BOOST_TEST(report_members(batch_report({}, {}, {})) == R"("reranking_used":false,"reranking":[])");
}

BOOST_AUTO_TEST_SUITE_END()
