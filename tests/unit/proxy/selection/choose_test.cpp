#include "proxy/selection/choose.hpp"

#include <boost/test/unit_test.hpp>

using namespace qrerank::proxy::selection;
namespace config = qrerank::proxy::config;

namespace {

struct Fixture {
  Fixture() {
    c.models.resize(2);
    c.models[0].name = "q";
    c.models[0].hub = "Qwen/Qwen3-Reranker-0.6B";
    c.models[1].name = "bge";
    c.models[1].hub = "BAAI/bge-reranker-base";
    c.models.emplace_back().name = "no_hub";
    c.rerank.default_model = "mock";
  }

  std::optional<Choice> choice() const { return choose({c, &rule, model, documents}); }
  std::string chosen() const {
    const auto made = choice();
    return made ? made->model : "ask";
  }

  config::Config c;
  config::CollectionRule rule;
  std::optional<std::string> model;
  std::vector<std::string> documents;
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(choosing, Fixture)

BOOST_AUTO_TEST_CASE(a_named_model_wins) {
  rule.embedding_model = "BAAI/bge-base-en";
  documents = {"Qwen/Qwen3-Embedding-0.6B"};
  model = "mock";
  BOOST_TEST(chosen() == "mock");
  BOOST_CHECK(choice()->basis == Basis::named);
}

BOOST_AUTO_TEST_CASE(then_the_rules_embedding_model) {
  rule.embedding_model = "BAAI/bge-base-en";
  documents = {"Qwen/Qwen3-Embedding-0.6B"};
  BOOST_TEST(chosen() == "bge");
  BOOST_CHECK(choice()->basis == Basis::rule);
  BOOST_TEST(choice()->reranker == "BAAI/bge-reranker-base");
  // It settles the matter where it leads to nothing, too.
  rule.embedding_model = "acme/unknown";
  BOOST_TEST(chosen() == "mock");
  BOOST_CHECK(choice()->basis == Basis::default_model);
  BOOST_TEST(choice()->embedding == "acme/unknown");
}

BOOST_AUTO_TEST_CASE(then_the_first_document_that_the_mapping_knows) {
  documents = {"qdrant/bm25", "Qwen/Qwen3-Embedding-0.6B", "BAAI/bge-base-en"};
  BOOST_TEST(chosen() == "q");
  BOOST_CHECK(choice()->basis == Basis::document);
  documents = {"Qwen/Qwen3-Embedding-8B", "BAAI/bge-base-en"};  // its reranker is not configured
  BOOST_TEST(chosen() == "mock");
  BOOST_TEST(choice()->reranker == "Qwen/Qwen3-Reranker-8B");
}

BOOST_AUTO_TEST_CASE(then_the_metadata) {
  documents = {"qdrant/bm25"};
  BOOST_TEST(chosen() == "ask");
  BOOST_TEST(choose_by_metadata(c, "BAAI/bge-base-en").model == "bge");
  BOOST_CHECK(choose_by_metadata(c, "BAAI/bge-base-en").basis == Basis::metadata);
  BOOST_TEST(choose_by_metadata(c, "acme/unknown").model == "mock");
  BOOST_TEST(choose_by_metadata(c, std::nullopt).model == "mock");
  BOOST_CHECK(choose_by_metadata(c, std::nullopt).basis == Basis::default_model);
}

BOOST_AUTO_TEST_CASE(nothing_is_asked_for_nothing) {
  c.selection.metadata_ttl = {};
  BOOST_TEST(chosen() == "mock");
  c.selection.metadata_ttl = std::chrono::seconds(1);
  c.models.clear();
  BOOST_TEST(chosen() == "mock");
}

BOOST_AUTO_TEST_CASE(without_a_rule) {
  BOOST_TEST(!choose({c, nullptr, model, documents}).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
