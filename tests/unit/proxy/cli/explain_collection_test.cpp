#include "proxy/cli/explain_collection.hpp"

#include <boost/test/unit_test.hpp>
#include <regex>

namespace cli = qrerank::proxy::cli;
namespace config = qrerank::proxy::config;

namespace {

constexpr std::string_view kModels = "models: {bge: {hub: BAAI/bge-reranker-base}}\n";

std::string explained(const std::string& yaml, const std::string& collection = "docs") {
  const auto loaded = config::load_text(yaml, "c.yaml");
  BOOST_TEST_REQUIRE(loaded.has_value(), (loaded ? "" : config::to_string(loaded.error())));
  return cli::explain_collection(*loaded, collection);
}

// The line of one option, runs of spaces as one.
std::string line(const std::string& text, const std::string& name) {
  std::smatch match;
  BOOST_TEST_REQUIRE(std::regex_search(text, match, std::regex("\n  (" + name + " [^\n]*)")), text);
  return std::regex_replace(match[1].str(), std::regex(" +"), " ");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(explain_collection_suite)

BOOST_AUTO_TEST_CASE(the_rule) {
  const std::string rules = "collections:\n  'd*': {top_k: 20}\n  docs: {}\n";
  BOOST_TEST(explained(rules).starts_with(
      "docs: the rule collections.docs (c.yaml:3), by its exact name; passed over: 'd*'\n"));
  BOOST_TEST(explained(rules, "dogs")
                 .starts_with("dogs: the rule collections.d* (c.yaml:2), the first glob that fits\n"));
  BOOST_TEST(explained(rules, "cats")
                 .starts_with("cats: no rule fits; reranked on request, with the options under rerank\n"));
  BOOST_TEST(line(explained(rules, "dogs"), "top_k") == "top_k 20 # collections.d*.top_k, c.yaml:2");
  BOOST_TEST(line(explained(rules, "docs"), "top_k") == "top_k 50 # default");
}

BOOST_AUTO_TEST_CASE(the_model) {
  const auto model = [](const std::string& yaml) { return line(explained(yaml), "model"); };
  const std::string models(kModels);
  BOOST_TEST(model("rerank: {model: mock}") == "model mock # rerank.model, c.yaml:1");
  BOOST_TEST(model("") ==
             "model mock # rerank.default_model; no model under models belongs to an embedding model");
  BOOST_TEST(model(models) ==
             "model by embedding model # the search's Document, else the collection's metadata; "
             "else rerank.default_model, mock");
  BOOST_TEST(model(models + "collections: {docs: {embedding_model: BAAI/bge-small-en-v1.5}}") ==
             "model bge # the model for BAAI/bge-small-en-v1.5: BAAI/bge-reranker-base");
  BOOST_TEST(
      model(models + "collections: {docs: {embedding_model: BAAI/bge-m3}}") ==
      "model mock # rerank.default_model; BAAI/bge-m3 belongs to BAAI/bge-reranker-v2-m3, which is not "
      "under models");
  BOOST_TEST(model(models + "collections: {docs: {embedding_model: acme/x}}") ==
             "model mock # rerank.default_model; acme/x belongs to no reranker that is known");
}

BOOST_AUTO_TEST_SUITE_END()
