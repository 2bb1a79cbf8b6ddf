#include "proxy/config/effective.hpp"

#include <boost/test/unit_test.hpp>

namespace config = qrerank::proxy::config;

namespace {

config::Config good(std::string_view yaml, const config::Sources& sources = {}) {
  auto loaded = config::load_text(yaml, "c.yaml", sources);
  BOOST_TEST_REQUIRE(loaded.has_value(), (loaded ? "" : config::to_string(loaded.error())));
  return *loaded;
}

// "value | path | origin", or "value" of a default.
std::string effective(const config::Config& loaded, const std::string& collection, const std::string& name) {
  for (const auto& option : config::effective_options(loaded, config::match_rule(loaded, collection).rule)) {
    if (option.key->name == name) {
      return option.said ? option.value + " | " + option.path + " | " + option.origin : option.value;
    }
  }
  return "no such option";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(effective_suite)

BOOST_AUTO_TEST_CASE(which_rule) {
  const auto loaded = good("collections: {'d*': {}, docs: {}, '*': {}, 'do?s': {}}");
  const auto match = config::match_rule(loaded, "docs");
  BOOST_TEST(match.rule->pattern == "docs");
  BOOST_TEST(match.exact);
  BOOST_TEST(match.passed_over == (std::vector<std::string>{"d*", "*", "do?s"}),
             boost::test_tools::per_element());
  const auto glob = config::match_rule(loaded, "dogs");
  BOOST_TEST(glob.rule->pattern == "d*");
  BOOST_TEST(!glob.exact);
  BOOST_TEST(glob.passed_over == (std::vector<std::string>{"*", "do?s"}), boost::test_tools::per_element());
  BOOST_CHECK(config::match_rule(good(""), "docs").rule == nullptr);
}

BOOST_AUTO_TEST_CASE(values_and_where_they_were_said) {
  const auto loaded = good(
      "rerank:\n  top_k: 20\n  weight: 0.5\ncollections:\n  docs:\n    rerank: always\n    reranker: mock\n"
      "    field: [a, b.c]\n    embedding_model: e\n  other: {}\n",
      {std::nullopt, {{"QRERANK_RERANK__TOP_K", "30"}}, {"collections.docs.weight=0.9"}});
  BOOST_TEST(effective(loaded, "docs", "rerank") == "always | collections.docs.rerank | c.yaml:6");
  BOOST_TEST(effective(loaded, "docs", "model") == "mock | collections.docs.model | c.yaml:7");
  BOOST_TEST(effective(loaded, "docs", "field") == "a, b.c | collections.docs.field | c.yaml:8");
  BOOST_TEST(effective(loaded, "docs", "embedding_model") ==
             "e | collections.docs.embedding_model | c.yaml:9");
  BOOST_TEST(effective(loaded, "docs", "weight") ==
             "0.9 | collections.docs.weight | --set collections.docs.weight");
  BOOST_TEST(effective(loaded, "docs", "top_k") == "30 | rerank.top_k | QRERANK_RERANK__TOP_K");
  BOOST_TEST(effective(loaded, "docs", "timeout_ms") == "10000");
  BOOST_TEST(effective(loaded, "docs", "on_error") == "fallback");
  // Another rule, and none: what they leave out is the global value or the default.
  for (const std::string collection : {"other", "nothing"}) {
    BOOST_TEST(effective(loaded, collection, "rerank") == "on_request", collection);
    BOOST_TEST(effective(loaded, collection, "weight") == "0.5 | rerank.weight | c.yaml:3", collection);
    BOOST_TEST(effective(loaded, collection, "score_threshold") == "none", collection);
  }
}

BOOST_AUTO_TEST_CASE(every_key_of_a_rule_is_told) {
  const auto loaded = good("");
  std::size_t keys = 0;
  for (const auto& key : config::schema()) {
    keys += key.scope == config::Scope::collection;
  }
  const auto options = config::effective_options(loaded, nullptr);
  BOOST_TEST(options.size() == keys);
  for (const auto& option : options) {
    BOOST_TEST(!option.value.empty(), option.key->name);
    BOOST_TEST(!option.said, option.key->name);
  }
}

BOOST_AUTO_TEST_SUITE_END()
