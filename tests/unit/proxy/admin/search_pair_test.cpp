#include "proxy/admin/compare/search_pair.hpp"

#include <boost/test/unit_test.hpp>

namespace compare = qrerank::proxy::admin::compare;
namespace config = qrerank::proxy::config;
namespace json = boost::json;

namespace {

json::object parsed(const std::string& text) {
  return json::parse(text).as_object();
}

compare::SearchPair pair_of(const std::string& body, const config::Config& config = {}) {
  auto pair = compare::pair_from(body, config);
  BOOST_TEST_REQUIRE(pair.has_value(), body);
  return *std::move(pair);
}

std::string refused(const std::string& body) {
  const auto pair = compare::pair_from(body, {});
  BOOST_TEST_REQUIRE(!pair.has_value(), body);
  return pair.error();
}

qrerank::proxy::upstream::Response answer(unsigned status, const std::string& body) {
  return {status, "", {}, body};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(search_pair)

BOOST_AUTO_TEST_CASE(two_bodies_that_differ_by_the_options) {
  const auto pair = pair_of(
      R"({"collection":"c","search":{"query":{"text":"q","model":"m"},"using":"v","limit":3},"options":{"rerank_top_k":20,"rerank_weight":0.5},"limit":5})");
  BOOST_TEST(pair.collection == "c");
  auto plain = parsed(pair.plain);
  BOOST_TEST(
      plain ==
      parsed(
          R"({"query":{"text":"q","model":"m"},"using":"v","limit":20,"with_payload":true,"use_reranker":false})"));
  plain["use_reranker"] = true;
  plain["rerank_top_k"] = 20;
  plain["rerank_weight"] = 0.5;
  BOOST_TEST(parsed(*pair.reranked) == plain);
}

BOOST_AUTO_TEST_CASE(as_many_hits_as_are_scored) {
  config::Config config;
  const auto limit = [&](const std::string& more) {
    return parsed(pair_of(R"({"collection":"docs","search":{"query":1})" + more + "}", config).plain)["limit"]
        .as_int64();
  };
  BOOST_TEST(limit("") == 50);
  BOOST_TEST(limit(R"(,"limit":70)") == 70);
  BOOST_TEST(limit(R"(,"options":{"rerank_top_k":10})") == 10);
  BOOST_TEST(limit(R"(,"options":{"rerank_top_k":100000})") == 200);  // refused by the proxy
  BOOST_TEST(limit(R"(,"options":{"rerank_top_k":"many"})") == 50);
  config.rerank.defaults.top_k = 30;
  BOOST_TEST(limit("") == 30);
  config.collections.push_back({.pattern = "d*", .embedding_model = "", .options = {}});
  config.collections.back().options.top_k = 40;
  BOOST_TEST(limit("") == 40);
}

BOOST_AUTO_TEST_CASE(what_is_left_to_the_search) {
  const auto pair = pair_of(
      R"({"collection":"c","search":{"query":18446744073709551615,"with_payload":["a"]},"rerank":false})");
  BOOST_TEST(!pair.reranked);
  BOOST_TEST(pair.plain.find("18446744073709551615") != std::string::npos);
  BOOST_TEST(parsed(pair.plain)["with_payload"] == json::parse(R"(["a"])"));
}

BOOST_AUTO_TEST_CASE(bodies_that_are_refused_by_name) {
  BOOST_TEST(refused("[]") == "the body is no JSON object");
  BOOST_TEST(refused("{") == "the body is no JSON object");
  BOOST_TEST(refused("{}").starts_with("\"collection\""));
  BOOST_TEST(refused(R"({"collection":""})").starts_with("\"collection\""));
  BOOST_TEST(refused(R"({"collection":"c"})").starts_with("\"search\""));
  BOOST_TEST(refused(R"({"collection":"c","search":{}})").starts_with("\"search\""));
  const std::string begin = R"({"collection":"c","search":{"query":1},)";
  BOOST_TEST(refused(begin + R"("options":1})").starts_with("\"options\""));
  BOOST_TEST(refused(begin + R"("options":{"limit":1}})").find("\"limit\"") != std::string::npos);
  BOOST_TEST(refused(begin + R"("rerank":1})").starts_with("\"rerank\""));
  for (const std::string limit : {"0", "-1", "1.5", "201", "\"1\""})
    BOOST_TEST(refused(begin + "\"limit\":" + limit + "}").starts_with("\"limit\""), limit);
  BOOST_TEST(refused(begin + R"("colection":1})").starts_with("\"colection\" is not known"));
}

BOOST_AUTO_TEST_CASE(a_side) {
  auto response = answer(
      200,
      R"({"result":{"points":[{"id":18446744073709551615,"version":1,"score":0.5,"vector_score":0.25,"rerank_score":0.5,"payload":{"n":1}},{"id":"u","score":null}]},"status":"ok","reranking_used":true,"reranker_model":"m","reranking_time_ms":7.5,"reranking_candidates":1})");
  response.fields = {{"server-timing", "upstream;dur=1.5, tokenize;dur=0, x, queue;dur=zz, compute;dur=6"}};
  const auto side = compare::side_of(response, 9);
  BOOST_TEST(side == parsed(R"({"status":200,"wall_ms":9e0,"points":[
      {"id":"18446744073709551615","payload":{"n":1},"score":0.5,"vector_score":0.25,"rerank_score":0.5},{"id":"u","score":null}],
      "used":true,"model":"m","time_ms":7.5,"candidates":1,"timing":{"upstream":1.5,"tokenize":0e0,"compute":6e0}})"));
}

BOOST_AUTO_TEST_CASE(vector_order_of_a_document_that_only_the_proxy_reads) {
  const std::string begin = R"({"collection":"c","search":{"query":)";
  BOOST_TEST(!pair_of(begin + "7}}").weightless);
  BOOST_TEST(
      pair_of(begin + R"({"nearest":{"text":"q","model":"m"}}},"rerank":false})").weightless.has_value());
  const auto pair = pair_of(
      begin +
      R"({"text":"q","model":"m"}},"options":{"rerank_top_k":20,"rerank_weight":0.7,"rerank_score_threshold":0.5}})");
  BOOST_TEST(
      parsed(*pair.weightless) ==
      parsed(
          R"({"query":{"text":"q","model":"m"},"limit":20,"with_payload":true,"use_reranker":true,"rerank_top_k":20,"rerank_weight":0})"));
  const auto side = compare::vector_side_of(parsed(
      R"({"status":200,"wall_ms":900,"points":[{"id":"1","score":0.9,"vector_score":0.3,"rerank_score":0.1},{"id":"2","score":0.2}],
          "used":true,"model":"m","time_ms":7,"candidates":1,"timing":{"upstream":2.5,"inference":1.5,"compute":890}})"));
  BOOST_TEST(
      side ==
      parsed(
          R"({"status":200,"wall_ms":4e0,"points":[{"id":"1","score":0.3},{"id":"2","score":0.2}],"used":false})"));
}

BOOST_AUTO_TEST_CASE(sides_that_failed) {
  const auto error = [](unsigned status, const std::string& body) {
    const auto side = compare::side_of(answer(status, body), 1);
    return std::to_string(side.at("status").to_number<unsigned>()) + " " +
           std::string(side.at("error").as_string());
  };
  BOOST_TEST(error(404, R"({"status":{"error":"Not found"},"time":0})") == "404 Not found");
  BOOST_TEST(error(401, "Must provide an API key") == "401 Must provide an API key");
  BOOST_TEST(error(404, "") == "404 Not Found (without a reason)");
  BOOST_TEST(error(200, "[]") == "502 the answer is not that of a Qdrant query");
  BOOST_TEST(error(200, R"({"result":[]})") == "502 the answer is not that of a Qdrant query");
  BOOST_TEST(error(500, std::string(5000, 'x')).size() == 2004u);
}

BOOST_AUTO_TEST_CASE(json_as_deep_as_qdrant_takes_it) {
  BOOST_TEST(compare::object_in("{\"a\":" + std::string(126, '[') + std::string(126, ']') + "}").has_value());
  BOOST_TEST(
      !compare::object_in("{\"a\":" + std::string(5000, '[') + std::string(5000, ']') + "}").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
