// The data path with a Qdrant and a model of the test's own: what is asked of whom, and what the client gets.
#include "proxy/flow/rerank_flow.hpp"

#include <limits>

#include "tests/unit/proxy/flow/fake_services.hpp"

using namespace flow_test;

namespace {

// Three points; the second's text is the longest, the third has none.
const std::string kHits = R"({"id":1,"version":0,"score":0.9,"payload":{"text":"ab"}},)"
                          R"({"id":2,"version":0,"score":0.8,"payload":{"text":"abcd"}},)"
                          R"({"id":3,"version":0,"score":0.7,"payload":{}})";

std::string answer_of(const std::string& hits) {
  return R"({"result":{"points":[)" + hits + R"(]},"status":"ok","time":0.1})";
}

std::string search(const std::string& more = "") {
  return R"({"query":[1.0],"limit":2,"use_reranker":true,"rerank_query":"q")" + more + "}";
}

std::string ids_of(const std::string& body) {
  std::string ids;
  for (std::size_t at = body.find("\"id\":"); at != std::string::npos; at = body.find("\"id\":", at + 1)) {
    ids += body[at + 5];
  }
  return ids;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rerank_flow_suite)

BOOST_AUTO_TEST_CASE(the_whole_path) {
  Driver driver;
  const std::vector<http::FieldView> fields = {{"api-key", "k"}, {"X-Rerank-Top-K", "20"}};
  driver.fields = fields;
  driver.qdrant.answers.push_back(ok(answer_of(kHits)));
  const auto reply = driver.reply(search(R"(,"with_payload":["text"],"rerank_field":"text")"));

  BOOST_REQUIRE(driver.qdrant.asked.size() == 1u);
  BOOST_TEST(driver.qdrant.asked[0].body == R"({"query":[1.0],"limit":20,"with_payload":["text"]})");
  BOOST_TEST(header(driver.qdrant.asked[0].fields, "api-key") == "k");
  BOOST_TEST(header(driver.qdrant.asked[0].fields, "x-rerank-top-k") == "");
  BOOST_REQUIRE(driver.scorer.asked.size() == 1u);
  BOOST_TEST(driver.scorer.asked[0].query == "q");
  BOOST_TEST(driver.scorer.asked[0].model == "mock");
  const std::vector<std::string> texts = {"ab", "abcd"};
  BOOST_TEST(driver.scorer.asked[0].texts == texts, boost::test_tools::per_element());

  BOOST_TEST(reply.status == 200u);
  BOOST_TEST(reply.kind == "reranked");
  BOOST_TEST(ids_of(reply.body) == "21");
  BOOST_TEST(header(reply.fields, "x-reranking-used") == "true");
  BOOST_TEST(header(reply.fields, "x-reranking-candidates") == "2");
  BOOST_TEST(holds(reply.body, R"("reranking_used":true,"reranker_model":"mock")"));
}

BOOST_AUTO_TEST_CASE(the_configured_model_and_instruction_by_name) {
  Driver driver;
  config::Model model;
  model.name = "small";
  driver.config.models.push_back(model);
  driver.config.rerank.default_model = "small";
  driver.config.instructions = {{"code", "Find the code"}};
  driver.qdrant.answers.push_back(ok(answer_of(kHits)));
  driver.reply(search(R"(,"rerank_instruction":"code")"));
  BOOST_REQUIRE(driver.scorer.asked.size() == 1u);
  BOOST_TEST(driver.scorer.asked[0].model == "small");
  BOOST_TEST(driver.scorer.asked[0].instruction == "Find the code");
}

BOOST_AUTO_TEST_CASE(the_shorter_time_limit_counts) {
  using std::chrono::milliseconds;
  const auto seconds_left = [](const std::string& parameters, const std::string& more) {
    Driver driver;
    driver.target += parameters;
    driver.qdrant.answers.push_back(ok(answer_of(kHits)));
    driver.reply(search(more));
    const auto left = driver.scorer.asked.at(0).deadline - reranker::Clock::now();
    return std::chrono::duration_cast<std::chrono::seconds>(left + milliseconds(900)).count();
  };
  BOOST_TEST(seconds_left("", R"(,"rerank_timeout_ms":50000)") >= 40);
  BOOST_TEST(seconds_left("?timeout=20", R"(,"rerank_timeout_ms":50000)") <= 20);
  BOOST_TEST(seconds_left("?timeout=60", R"(,"rerank_timeout_ms":20000)") <= 20);
}

BOOST_AUTO_TEST_CASE(vectors_are_read_for_the_page_only) {
  Driver driver;
  driver.target += "?timeout=9&rerank_top_k=11";
  driver.qdrant.answers.push_back(ok(answer_of(kHits)));
  driver.qdrant.answers.push_back(ok(
      R"({"result":[{"id":1,"payload":{"text":"ab"},"vector":[1.0]},{"id":2,"payload":{"text":"abcd"},"vector":[2.0]}]})"));
  const auto reply = driver.reply(search(R"(,"with_payload":true,"with_vector":true,"shard_key":"s")"));
  BOOST_REQUIRE(driver.qdrant.asked.size() == 2u);
  BOOST_TEST(driver.qdrant.asked[1].target == "/collections/c/points?timeout=9");
  BOOST_TEST(holds(driver.qdrant.asked[1].body, R"("ids":[2,1])"));
  BOOST_TEST(holds(driver.qdrant.asked[1].body, R"("shard_key":"s")"));
  BOOST_TEST(ids_of(reply.body) == "21");
  BOOST_TEST(holds(reply.body, R"("vector":[2.0])"));
}

BOOST_AUTO_TEST_CASE(a_point_gone_before_the_second_read_is_dropped) {
  Driver driver;
  driver.qdrant.answers.push_back(ok(answer_of(kHits)));
  driver.qdrant.answers.push_back(ok(R"({"result":[{"id":1,"payload":{},"vector":[1.0]}]})"));
  const auto reply = driver.reply(search(R"(,"with_vector":true)"));
  BOOST_TEST(ids_of(reply.body) == "1");
  BOOST_TEST(holds(reply.body, R"({"points":[{"id":1)"));
}

BOOST_AUTO_TEST_CASE(headers_of_another_qrerank_behind_us_give_way) {
  Driver driver;
  driver.qdrant.answers.push_back(ok(answer_of(kHits), {{"X-Reranking-Used", "false"},
                                                        {"x-reranker-model", "theirs"},
                                                        {"x-reranking-reason", "timeout"},
                                                        {"vary", "Origin"}}));
  const auto reply = driver.reply(search());
  BOOST_TEST(header(reply.fields, "x-reranking-used") == "true");
  BOOST_TEST(header(reply.fields, "x-reranker-model") == "mock");
  BOOST_TEST(header(reply.fields, "x-reranking-reason") == "");
  BOOST_TEST(header(reply.fields, "vary") == "Origin");
}

BOOST_AUTO_TEST_SUITE_END()
