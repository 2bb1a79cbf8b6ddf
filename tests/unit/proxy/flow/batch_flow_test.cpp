// A batch through the data path: one request upstream, all texts submitted together, each search with its own
// model, deadline and reason, and groups.
#include "tests/unit/proxy/flow/fake_services.hpp"

using namespace flow_test;

namespace {

// The second's text is the longest: the fake scorer puts it first.
const std::string kHits = R"({"id":1,"version":0,"score":0.9,"payload":{"text":"ab"}},)"
                          R"({"id":2,"version":0,"score":0.8,"payload":{"text":"abcd"}})";
const std::string kMute = R"({"id":1,"version":0,"score":0.9,"payload":{}})";

std::string points(const std::string& hits) {
  return R"({"points":[)" + hits + "]}";
}

std::string answer_of(const std::vector<std::string>& results) {
  std::string list;
  for (const std::string& result : results) list += (list.empty() ? "" : ",") + result;
  return R"({"result":[)" + list + R"(],"status":"ok","time":0.1})";
}

std::string batch(const std::vector<std::string>& searches, const std::string& root = "") {
  std::string list;
  for (const std::string& search : searches) list += (list.empty() ? "" : ",") + search;
  return R"({"searches":[)" + list + "]" + root + "}";
}

std::string search(const std::string& more = "") {
  return R"({"query":[1.0],"limit":1,"use_reranker":true,"rerank_query":"q")" + more + "}";
}

// Widened inside as well: a fallback is asked for again.
std::string hybrid(const std::string& more = "") {
  return R"({"prefetch":[{"query":[1.0]}],"query":{"fusion":"rrf"},"limit":1,)"
         R"("use_reranker":true,"rerank_query":"q")" +
         more + "}";
}
const std::string kOwnHybrid = R"({"prefetch":[{"query":[1.0]}],"query":{"fusion":"rrf"},"limit":1})";
const std::string kAsError = R"(,"rerank_on_error":"error")";

std::string ids_of(const std::string& body) {
  std::string ids;
  for (std::size_t at = body.find("\"id\":"); at != std::string::npos; at = body.find("\"id\":", at + 1)) {
    ids += body[at + 5];
  }
  return ids;
}

// The reports of the searches, without times.
std::string reranking(const std::string& body) {
  std::string text = body.substr(body.find("\"reranking\":["));
  for (std::size_t at = text.find(",\"reranking_time_ms\""); at != std::string::npos;
       at = text.find(",\"reranking_time_ms\"")) {
    text.erase(at, text.find(',', at + 1) - at);
  }
  return text;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct BatchDriver : Driver {
  BatchDriver() { target = "/collections/c/points/query/batch"; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(batch_flow_suite)

BOOST_AUTO_TEST_CASE(one_request_up_and_each_search_reranked) {
  BatchDriver driver;
  config::Model small;
  small.name = "small";
  driver.config.models.push_back(small);
  driver.qdrant.answers.push_back(ok(answer_of({points(kHits), points(kMute), points(kHits)})));
  const auto reply = driver.reply(
      batch({search(), R"({"query":[1.0]})",
             search(R"(,"rerank_model":"small","rerank_timeout_ms":60000,"rerank_instruction":"look")")}));
  BOOST_REQUIRE(driver.qdrant.asked.size() == 1u);
  BOOST_TEST(driver.qdrant.asked[0].target == "/collections/c/points/query/batch");
  BOOST_REQUIRE(driver.scorer.asked.size() == 2u);
  BOOST_TEST(driver.scorer.asked[0].model == "mock");
  BOOST_TEST(driver.scorer.asked[1].model == "small");
  BOOST_TEST(driver.scorer.asked[1].instruction == "look");
  BOOST_TEST((driver.scorer.asked[0].deadline < driver.scorer.asked[1].deadline));
  BOOST_TEST(reply.kind == "reranked");
  BOOST_TEST(ids_of(reply.body) == "212");
  BOOST_TEST(holds(reply.body, R"("result":[{"points":[{"id":2,)"));
  BOOST_TEST(holds(reply.body, "," + points(kMute) + ","));  // a search without the flag keeps its bytes
  BOOST_TEST(
      reranking(reply.body) ==
      R"("reranking":[{"reranking_used":true,"reranker_model":"mock","reranking_candidates":2},{"reranking_used":false},)"
      R"({"reranking_used":true,"reranker_model":"small","reranking_candidates":2}]})");
  BOOST_TEST(header(reply.fields, "x-reranking-candidates") == "4");
  BOOST_TEST(header(reply.fields, "x-reranker-model") == "mock");
}

BOOST_AUTO_TEST_CASE(all_texts_are_submitted_before_any_result) {
  BatchDriver driver;
  driver.scorer.answers = false;
  driver.qdrant.answers.push_back(ok(answer_of({points(kHits), points(kHits)})));
  static_cast<void>(driver.run(batch({search(), search()}), true));
  BOOST_TEST(driver.scorer.asked.size() == 2u);
  BOOST_TEST(driver.scorer.dropped == 2);
}

BOOST_AUTO_TEST_CASE(one_that_fails_falls_back_alone) {
  BatchDriver driver;
  driver.scorer.in_turn = {ScoreFailure::timeout, std::nullopt};
  driver.qdrant.answers.push_back(ok(answer_of({points(kHits), points(kHits)})));
  const auto reply = driver.reply(batch({search(), search()}));
  BOOST_TEST(reply.status == 200u);
  BOOST_TEST(ids_of(reply.body) == "12");
  BOOST_TEST(holds(reply.body, R"("result":[{"points":[{"id":1,"version":0,"score":0.9}]},)"));
  BOOST_TEST(reranking(reply.body) ==
             R"("reranking":[{"reranking_used":false,"reranker_model":"mock","reranking_reason":"timeout"},)"
             R"({"reranking_used":true,"reranker_model":"mock","reranking_candidates":2}]})");
  BOOST_TEST(header(reply.fields, "x-reranking-used") == "true");
  BOOST_TEST(header(reply.fields, "x-reranking-reason") == "");

  BatchDriver strict;
  strict.scorer.in_turn = {std::nullopt, ScoreFailure::overloaded};
  strict.qdrant.answers.push_back(ok(answer_of({points(kHits), points(kHits)})));
  const auto refused = strict.reply(batch({search(), search(kAsError)}));
  BOOST_TEST(refused.status == 503u);
  BOOST_TEST(header(refused.fields, "x-reranking-reason") == "overloaded");

  // Not its policy: the other one's.
  BatchDriver mixed;
  mixed.scorer.in_turn = {std::nullopt, ScoreFailure::overloaded};
  mixed.qdrant.answers.push_back(ok(answer_of({points(kHits), points(kHits)})));
  BOOST_TEST(mixed.reply(batch({search(kAsError), search()})).status == 200u);
}

BOOST_AUTO_TEST_CASE(those_that_must_are_asked_for_again_in_one_request) {
  BatchDriver driver;
  driver.scorer.failure = ScoreFailure::backend_error;
  driver.qdrant.answers.push_back(ok(answer_of({points(kHits), points(kHits), points(kMute)})));
  driver.qdrant.answers.push_back(ok(answer_of({points(R"({"id":8})"), points(R"({"id":9 })")})));
  const auto reply = driver.reply(batch({hybrid(), search(), hybrid()}));
  BOOST_REQUIRE(driver.qdrant.asked.size() == 2u);
  BOOST_TEST(driver.qdrant.asked[1].body == batch({kOwnHybrid, kOwnHybrid}));
  BOOST_TEST(holds(reply.body,
                   R"({"result":[{"points":[{"id":8}]},{"points":[{"id":1,"version":0,"score":0.9}]},)"
                   R"({"points":[{"id":9 }]}],"status":"ok","time":0.1,"reranking_used":false,)"
                   R"("reranker_model":"mock","reranking_reason":"backend_error",)"));
  BOOST_TEST(holds(reranking(reply.body), R"("reranking_reason":"no_text"}]})"));
  BOOST_TEST(reply.kind == "fallback");

  BatchDriver odd;  // fewer results than searches were asked for
  odd.scorer.failure = ScoreFailure::backend_error;
  odd.qdrant.answers.push_back(ok(answer_of({points(kHits)})));
  odd.qdrant.answers.push_back(ok(answer_of({})));
  BOOST_TEST(odd.reply(batch({hybrid()})).status == 502u);
}

BOOST_AUTO_TEST_CASE(pages_are_read_again_search_by_search) {
  BatchDriver driver;
  driver.qdrant.answers.push_back(ok(answer_of({points(kHits), points(kHits), points(kHits)})));
  driver.qdrant.answers.push_back(ok(R"({"result":[{"id":2,"vector":[2.0]}]})"));
  driver.qdrant.answers.push_back(ok(R"({"result":[{"id":2,"vector":{"a":[1.0]}}]})"));
  const auto reply = driver.reply(
      batch({search(R"(,"with_vector":true)"), search(), search(R"(,"with_vector":["a"],"shard_key":"s")")}));
  BOOST_REQUIRE(driver.qdrant.asked.size() == 3u);
  BOOST_TEST(driver.qdrant.asked[1].target == "/collections/c/points");
  BOOST_TEST(driver.qdrant.asked[1].body == R"({"ids":[2],"with_payload":false,"with_vector":true})");
  BOOST_TEST(driver.qdrant.asked[2].body ==
             R"({"ids":[2],"with_payload":false,"with_vector":["a"],"shard_key":"s"})");
  BOOST_TEST(ids_of(reply.body) == "222");
  BOOST_TEST(holds(reply.body, R"("vector":[2.0])"));
  BOOST_TEST(holds(reply.body, R"("vector":{"a":[1.0]})"));
}

BOOST_AUTO_TEST_CASE(an_answer_with_another_number_of_results_is_unreadable) {
  BatchDriver driver;
  driver.qdrant.answers.push_back(ok(answer_of({points(kHits)})));
  driver.qdrant.answers.push_back(ok(answer_of({points(R"({"id":1})"), points(R"({"id":2})")})));
  const auto reply = driver.reply(batch({search(), R"({"query":[2.0]})"}));
  BOOST_REQUIRE(driver.qdrant.asked.size() == 2u);
  BOOST_TEST(driver.qdrant.asked[1].body == batch({R"({"query":[1.0],"limit":1})", R"({"query":[2.0]})"}));
  BOOST_TEST(ids_of(reply.body) == "12");
  BOOST_TEST(reranking(reply.body) ==
             R"("reranking":[{"reranking_used":false,"reranker_model":"mock","reranking_reason":"internal"},)"
             R"({"reranking_used":false}]})");
}

BOOST_AUTO_TEST_CASE(an_empty_batch_that_is_flagged) {
  BatchDriver driver;
  driver.qdrant.answers.push_back(ok(answer_of({})));
  const auto reply = driver.reply(batch({}, R"(,"use_reranker":true)"));
  BOOST_TEST(driver.qdrant.asked.at(0).body == batch({}));
  BOOST_TEST(reply.body == R"({"result":[],"status":"ok","time":0.1,"reranking_used":false,"reranking":[]})");
  BOOST_TEST(driver.scorer.asked.empty());
}

BOOST_AUTO_TEST_CASE(groups) {
  const std::string two =
      R"({"result":{"groups":[{"hits":[{"id":1,"score":0.9,"payload":{"text":"ab"}}],"id":"a"},)"
      R"({"hits":[{"id":2,"score":0.8,"payload":{"text":"abcd"}},)"
      R"({"id":1,"score":0.9,"payload":{"text":"ab"}}],"id":"b","lookup":{"id":"b"}}]},"time":0.1})";
  const std::string body =
      R"({"query":[1.0],"group_by":"g","limit":1,"group_size":1,"use_reranker":true,"rerank_query":"q"})";
  Driver driver;
  driver.target += "/groups";
  driver.qdrant.answers.push_back(ok(two));
  const auto reply = driver.reply(body);
  BOOST_REQUIRE(driver.scorer.asked.size() == 1u);
  BOOST_TEST(driver.scorer.asked[0].texts.size() == 2u);
  BOOST_TEST(header(reply.fields, "x-reranking-candidates") == "2");
  BOOST_TEST(holds(reply.body, R"({"result":{"groups":[{"hits":[{"id":2,)"));
  BOOST_TEST(holds(reply.body, R"(}],"id":"b","lookup":{"id":"b"}}]},"time":0.1,"reranking_used":true,)"));

  Driver failing;  // more than a list's limit was widened: the client's own is asked for
  failing.target += "/groups";
  failing.scorer.failure = ScoreFailure::timeout;
  failing.qdrant.answers.push_back(ok(two));
  failing.qdrant.answers.push_back(ok(R"({"result":{"groups":[{"hits":[{"id":7}],"id":"a"}]},"time":0.2})"));
  const auto own = failing.reply(body);
  BOOST_REQUIRE(failing.qdrant.asked.size() == 2u);
  BOOST_TEST(failing.qdrant.asked[1].body == R"({"query":[1.0],"group_by":"g","limit":1,"group_size":1})");
  BOOST_TEST(holds(own.body,
                   R"({"result":{"groups":[{"hits":[{"id":7}],"id":"a"}]},"time":0.1,)"
                   R"("reranking_used":false,"reranker_model":"mock","reranking_reason":"timeout"})"));
}

// Vectors are read again page by page.
struct PagesDriver : BatchDriver {
  explicit PagesDriver(std::size_t searches) {
    qdrant.turns = 3;
    qdrant.answers.push_back(ok(answer_of(std::vector<std::string>(searches, points(kHits)))));
    body = batch(std::vector<std::string>(searches, search(R"(,"with_vector":true)")));
  }
  void read_again(const std::string& vector) {
    qdrant.answers.push_back(ok(R"({"result":[{"id":2,"vector":)" + vector + "}]}"));
  }
  std::string body;
};

BOOST_AUTO_TEST_CASE(pages_are_read_again_side_by_side) {
  PagesDriver driver(3);
  for (const char* vector : {"[1]", "[2]", "[3]"}) driver.read_again(vector);
  const auto reply = driver.reply(driver.body);
  BOOST_TEST(reply.status == 200U);
  BOOST_TEST(driver.qdrant.asked.size() == 4U);
  BOOST_TEST(driver.qdrant.most_asking == 3);
  std::size_t at = 0;
  for (const char* vector : {R"("vector":[1])", R"("vector":[2])", R"("vector":[3])"}) {
    at = reply.body.find(vector, at);
    BOOST_TEST(at != std::string::npos, vector);
  }
}

BOOST_AUTO_TEST_CASE(any_number_of_pages_is_read_a_few_at_a_time) {
  PagesDriver driver(50);
  for (int page = 0; page < 50; ++page) driver.read_again("[1]");
  BOOST_TEST(driver.reply(driver.body).status == 200U);
  BOOST_TEST(driver.qdrant.asked.size() == 51U);
  BOOST_TEST(driver.qdrant.most_asking == 8);
}

BOOST_AUTO_TEST_CASE(a_page_that_cannot_be_read_ends_the_request) {
  PagesDriver driver(20);
  driver.read_again("[1]");
  auto forbidden = ok(R"({"status":{"error":"no"}})");
  forbidden.status = 403;
  driver.qdrant.answers.push_back(forbidden);
  for (int page = 0; page < 6; ++page) driver.read_again("[1]");
  driver.read_again("[1]");  // the first reader is done before it hears of the other
  BOOST_TEST(driver.reply(driver.body).status == 403U);
  BOOST_TEST(driver.qdrant.asked.size() <= 10U);
}

BOOST_AUTO_TEST_SUITE_END()
