// The table: names as embedding services, the hub and Ollama spell them, and which reranker they lead to.
#include "proxy/selection/mapping.hpp"

#include <boost/test/unit_test.hpp>
#include <set>

using namespace qrerank::proxy::selection;
namespace config = qrerank::proxy::config;

namespace {

config::Config with_models(std::vector<std::pair<std::string, std::string>> names_and_hubs) {
  config::Config c;
  for (auto& [name, hub] : names_and_hubs) {
    c.models.emplace_back();
    c.models.back().name = std::move(name);
    c.models.back().hub = std::move(hub);
  }
  return c;
}

std::string mapped(std::string_view embedding, const config::Config& c = {}) {
  return mapped_reranker(c, embedding).value_or("-");
}

std::string configured(const config::Config& c, std::string_view reranker) {
  return configured_model(c, reranker).value_or("-");
}

}  // namespace

BOOST_AUTO_TEST_SUITE(mapping)

BOOST_AUTO_TEST_CASE(any_name_of_an_embedding_model_of_ours_counts) {
  config::Config c;
  auto& ours = c.embedding_models.emplace_back();
  ours.name = "house";
  ours.hub = "BAAI/bge-large-en-v1.5";
  ours.names = {"acme/embedder"};
  for (const auto* said : {"house", "HOUSE", "acme/embedder", "BAAI/bge-large-en-v1.5"})
    BOOST_TEST(mapped(said, c) == "BAAI/bge-reranker-large");
  BOOST_TEST(mapped("acme/other", c) == "-");
  // The configuration's mapping comes first, whichever name it speaks of; the name that was said before
  // others.
  c.model_mapping = {{"BAAI/bge-large-*", "by-hub"}};
  BOOST_TEST(mapped("house", c) == "by-hub");
  c.model_mapping = {{"acme/*", "by-alias"}};
  BOOST_TEST(mapped("house", c) == "by-alias");
  BOOST_TEST(mapped("BAAI/bge-large-en-v1.5", c) == "by-alias");
  c.model_mapping.push_back({"house", "by-name"});
  BOOST_TEST(mapped("house", c) == "by-name");
  BOOST_TEST(mapped("acme/embedder", c) == "by-alias");
  // Without a hub name there is nothing more to go by.
  ours.hub.clear();
  c.model_mapping.clear();
  BOOST_TEST(mapped("house", c) == "-");
}

BOOST_AUTO_TEST_CASE(the_built_in_table) {
  const std::pair<std::string_view, std::string_view> table[] = {
      {"Qwen/Qwen3-Embedding-0.6B", "Qwen/Qwen3-Reranker-0.6B"},
      {"Qwen/Qwen3-Embedding-4B", "Qwen/Qwen3-Reranker-4B"},
      {"Qwen/Qwen3-Embedding-8B", "Qwen/Qwen3-Reranker-8B"},
      {"Qwen/Qwen3-Embedding-0.6B-GGUF", "Qwen/Qwen3-Reranker-0.6B"},
      {"qwen3-embedding:0.6b", "Qwen/Qwen3-Reranker-0.6B"},
      {"qwen3-embedding:4b-q4_K_M", "Qwen/Qwen3-Reranker-4B"},
      {"dengcao/Qwen3-Embedding-8B:Q5_K_M", "Qwen/Qwen3-Reranker-8B"},
      {"Qwen/Qwen3-Embedding", "-"},
      {"BAAI/bge-small-en-v1.5", "BAAI/bge-reranker-base"},
      {"BAAI/bge-small-zh-v1.5", "BAAI/bge-reranker-base"},
      {"BAAI/bge-base-en-v1.5", "BAAI/bge-reranker-base"},
      {"BAAI/bge-large-zh", "BAAI/bge-reranker-large"},
      {"BAAI/bge-m3", "BAAI/bge-reranker-v2-m3"},
      {"bge-m3:567m", "BAAI/bge-reranker-v2-m3"},
      {"BAAI/bge-multilingual-gemma2", "BAAI/bge-reranker-v2-m3"},
      {"BAAI/bge-reranker-base", "-"},
      {"sentence-transformers/all-MiniLM-L6-v2", "cross-encoder/ms-marco-MiniLM-L6-v2"},
      {"sentence-transformers/all-MiniLM-L12-v2", "cross-encoder/ms-marco-MiniLM-L12-v2"},
      {"sentence-transformers/msmarco-MiniLM-L-12-v3", "cross-encoder/ms-marco-MiniLM-L12-v2"},
      {"sentence-transformers/multi-qa-MiniLM-L6-cos-v1", "cross-encoder/ms-marco-MiniLM-L6-v2"},
      {"sentence-transformers/paraphrase-MiniLM-L3-v2", "cross-encoder/ms-marco-MiniLM-L6-v2"},
      {"all-minilm", "cross-encoder/ms-marco-MiniLM-L6-v2"},
      {"all-minilm:33m", "cross-encoder/ms-marco-MiniLM-L12-v2"},
      {"sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2",
       "cross-encoder/mmarco-mMiniLMv2-L12-H384-v1"},
      {"intfloat/e5-small-v2", "cross-encoder/ms-marco-MiniLM-L12-v2"},
      {"intfloat/e5-base", "BAAI/bge-reranker-base"},
      {"intfloat/e5-large-v2", "BAAI/bge-reranker-large"},
      {"intfloat/multilingual-e5-small", "cross-encoder/mmarco-mMiniLMv2-L12-H384-v1"},
      {"intfloat/multilingual-e5-base", "BAAI/bge-reranker-v2-m3"},
      {"intfloat/multilingual-e5-large-instruct", "BAAI/bge-reranker-v2-m3"},
      {"sentence-transformers/paraphrase-multilingual-mpnet-base-v2", "BAAI/bge-reranker-v2-m3"},
      {"sentence-transformers/LaBSE", "BAAI/bge-reranker-v2-m3"},
      {"Alibaba-NLP/gte-multilingual-base", "BAAI/bge-reranker-v2-m3"},
      {"snowflake/snowflake-arctic-embed-l-v2.0", "BAAI/bge-reranker-v2-m3"},
      {"Snowflake/snowflake-arctic-embed-m", "-"},
      {"jinaai/jina-embeddings-v3", "BAAI/bge-reranker-v2-m3"},
      {"text-embedding-3-small", "BAAI/bge-reranker-v2-m3"},
      {"qdrant/bm25", "-"},
      {"prithivida/Splade_PP_en_v1", "-"},
      {"", "-"},
      {"/", "-"},
  };
  for (const auto& [embedding, reranker] : table) {
    BOOST_TEST(mapped(embedding) == reranker, embedding);
  }
}

BOOST_AUTO_TEST_CASE(rows_of_the_table_can_be_reached) {
  std::set<std::string_view> patterns;
  for (const auto& row : built_in_mapping()) {
    BOOST_TEST(patterns.insert(row.embedding).second, row.embedding);
    // A name made of the pattern itself: no row before it takes all that this one could.
    std::string name(row.embedding);
    for (auto& c : name) {
      c = c == '*' ? 'x' : c;
    }
    BOOST_TEST(mapped(name) == row.reranker, row.embedding);
    BOOST_TEST(row.reranker.find('/') != std::string_view::npos);
  }
}

BOOST_AUTO_TEST_CASE(the_configuration_comes_first) {
  config::Config c;
  c.model_mapping = {{"acme/Embedder_*", "one"}, {"bge-*", "two"}, {"*-v9", "three"}, {"bge-m3", "four"}};
  BOOST_TEST(mapped("ACME/embedder-2", c) == "one");
  BOOST_TEST(mapped("other/embedder-2", c) == "-");  // a pattern with a slash is held against the whole name
  BOOST_TEST(mapped("embedder-2", c) == "-");
  BOOST_TEST(mapped("BAAI/bge-small-en-v1.5", c) == "two");
  BOOST_TEST(mapped("bge-m3", c) == "two");  // the first that fits
  BOOST_TEST(mapped("any/thing-v9", c) == "three");
  BOOST_TEST(mapped("Qwen/Qwen3-Embedding-4B", c) == "Qwen/Qwen3-Reranker-4B");
}

BOOST_AUTO_TEST_CASE(configured_models) {
  const auto c = with_models({{"small", "cross-encoder/ms-marco-MiniLM-L-6-v2"},
                              {"bge", "baai/BGE-reranker-base"},
                              {"Qwen3-Reranker-4B", ""},
                              {"BAAI/bge-reranker-base", "acme/tuned"}});
  BOOST_TEST(configured(c, "cross-encoder/ms-marco-MiniLM-L6-v2") == "small");
  BOOST_TEST(configured(c, "BAAI/bge-reranker-base") ==
             "BAAI/bge-reranker-base");  // a name before a hub name
  BOOST_TEST(configured(c, "Qwen/Qwen3-Reranker-4B") == "Qwen3-Reranker-4B");
  BOOST_TEST(configured(c, "small") == "small");
  BOOST_TEST(configured(c, "mock") == "mock");
  BOOST_TEST(configured(c, "Qwen/Qwen3-Reranker-8B") == "-");
  BOOST_TEST(configured(c, "") == "-");
}

BOOST_AUTO_TEST_CASE(whether_asking_is_worth_it) {
  BOOST_TEST(!leads_anywhere({}));
  BOOST_TEST(!leads_anywhere(with_models({{"own", "acme/tuned"}})));
  BOOST_TEST(leads_anywhere(with_models({{"own", "acme/tuned"}, {"q", "Qwen/Qwen3-Reranker-8B"}})));
  config::Config c;
  c.model_mapping = {{"e", "mock"}};
  BOOST_TEST(leads_anywhere(c));
}

BOOST_AUTO_TEST_SUITE_END()
