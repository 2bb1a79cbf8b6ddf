#include "proxy/admin/compare/collections.hpp"

#include <boost/test/unit_test.hpp>

namespace compare = qrerank::proxy::admin::compare;
namespace config = qrerank::proxy::config;
namespace json = boost::json;

namespace {

// The answer to GET /collections/{name}.
std::string described(const std::string& params, const std::string& more = "") {
  return R"({"result":{"points_count":7,"config":{"params":)" + params + more + R"(}},"status":"ok"})";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(collections)

BOOST_AUTO_TEST_CASE(names) {
  BOOST_TEST(*compare::names_in(R"({"result":{"collections":[{"name":"b"},{"name":"a"},{}]}})") ==
             json::parse(R"(["a","b"])").as_array());
  for (const std::string body : {"", "[]", "{}", R"({"result":{"collections":1}})"})
    BOOST_TEST(!compare::names_in(body).has_value(), body);
}

BOOST_AUTO_TEST_CASE(vectors_of_each_kind) {
  const auto named = compare::description_in(
      described(
          R"({"vectors":{"d":{"size":3,"distance":"Dot"},"m":{"size":2,"distance":"Cosine","multivector_config":{}}},
                    "sparse_vectors":{"s":{"modifier":"idf"},"t":{}}})"),
      "c", {});
  BOOST_TEST_REQUIRE(named.has_value());
  BOOST_TEST(named->at("vectors") == json::parse(R"([{"name":"d","kind":"dense","size":3,"distance":"Dot"},
                             {"name":"m","kind":"multi","size":2,"distance":"Cosine"},
                             {"name":"s","kind":"sparse","modifier":"idf"},{"name":"t","kind":"sparse","modifier":null}])"));
  const auto only = compare::description_in(described(R"({"vectors":{"size":3,"distance":"Dot"}})"), "c", {});
  BOOST_TEST(only->at("vectors") == json::parse(R"([{"name":"","kind":"dense","size":3,"distance":"Dot"}])"));
  BOOST_TEST(compare::description_in(described("{}"), "c", {})->at("vectors").as_array().empty());
  for (const std::string body : {"", "{}", R"({"result":{"config":1}})"})
    BOOST_TEST(!compare::description_in(body, "c", {}).has_value(), body);
}

BOOST_AUTO_TEST_CASE(what_the_configuration_and_the_metadata_say) {
  config::Config config;
  config.rerank.defaults.weight = 0.5;
  config.rerank.defaults.top_k = 30;
  const auto body = described("{}", R"(,"metadata":{"embedding_model":"bge","example_questions":["why?"]})");
  const auto plain = compare::description_in(body, "docs", config);
  BOOST_TEST(plain->at("embedding_model") == "bge");
  BOOST_TEST(plain->at("examples") == json::parse(R"(["why?"])"));
  BOOST_TEST(plain->at("rule") ==
             json::parse(R"({"mode":"on_request","pattern":null,"model":null,"top_k":30,"weight":0.5,
                             "score_threshold":null,"instruction":null,"fields":null})"));
  config::CollectionRule rule;
  rule.pattern = "d*";
  rule.mode = config::RerankMode::always;
  rule.embedding_model = "e5";
  rule.options.top_k = 20;
  rule.options.fields = {"a", "b"};
  config.collections.push_back(rule);
  const auto ruled = compare::description_in(body, "docs", config);
  BOOST_TEST(ruled->at("embedding_model") == "e5");
  BOOST_TEST(ruled->at("rule").at("mode") == "always");
  BOOST_TEST(ruled->at("rule").at("top_k") == 20);
  BOOST_TEST(ruled->at("rule").at("weight") == 0.5);
  BOOST_TEST(ruled->at("rule").at("fields") == json::parse(R"(["a","b"])"));
  const auto bare = compare::description_in(
      described("{}", R"(,"metadata":{"embedding_model":7,"example_questions":7})"), "x", {});
  BOOST_TEST(bare->at("embedding_model").is_null());
  BOOST_TEST(bare->at("examples").as_array().empty());
}

BOOST_AUTO_TEST_CASE(samples) {
  BOOST_TEST(compare::sample_in(R"({"result":{"points":[{"id":7,"score":1,"payload":{"a":1}},1]}})") ==
             json::parse(R"([{"id":"7","payload":{"a":1}}])").as_array());
  BOOST_TEST(compare::sample_in("{}").empty());
}

BOOST_AUTO_TEST_SUITE_END()
