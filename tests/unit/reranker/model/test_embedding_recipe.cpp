// How a text becomes a vector: what the configuration, the folder and the family's name say, in this order.
#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "reranker/model/embedding_recipe.hpp"
#include "reranker/model/encoder_config.hpp"
#include "tests/unit/reranker/model/safetensors_file.hpp"

using namespace qrerank::reranker::model;

namespace {

// "cls 1 [query: ] 256", or what is wrong.
std::string told(const std::filesystem::path& folder, const EmbeddingChoices& choices = {}) {
  const auto recipe = embedding_recipe(folder, choices);
  if (!recipe) return recipe.error();
  return std::string(recipe->pooling == Pooling::cls ? "cls " : "mean ") + (recipe->normalize ? "1" : "any") +
         " [" + recipe->query_prefix + "]" +
         (recipe->max_length ? " " + std::to_string(*recipe->max_length) : "");
}

struct Folder : qrerank::tests::TemporaryFolder {
  Folder() { std::filesystem::create_directory(path() / "1_Pooling"); }
  void pooling(const std::string& json) const { write("1_Pooling/config.json", json); }
};

constexpr std::string_view kEnglish = "Represent this sentence for searching relevant passages: ";

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(recipe)

BOOST_AUTO_TEST_CASE(families_are_known_by_name) {
  for (const std::string name : {"BAAI/bge-small-en-v1.5", "bge_small_en", "BAAI/bge-large-en"}) {
    BOOST_TEST_REQUIRE(family_recipe(name).has_value(), name);
    BOOST_TEST((family_recipe(name)->pooling == Pooling::cls));
    BOOST_TEST(family_recipe(name)->query_prefix == kEnglish);
  }
  BOOST_TEST(family_recipe("BAAI/bge-m3")->query_prefix.empty());
  BOOST_TEST((family_recipe("sentence-transformers/all-MiniLM-L6-v2")->pooling == Pooling::mean));
  BOOST_TEST(family_recipe("sentence-transformers/all-MiniLM-L6-v2")->query_prefix.empty());
  BOOST_TEST(family_recipe("intfloat/multilingual-e5-base")->query_prefix == "query: ");
  BOOST_TEST(
      family_recipe("intfloat/multilingual-e5-large-instruct")->query_prefix.starts_with("Instruct: "));
  BOOST_TEST(!family_recipe("acme/embedder").has_value());
}

BOOST_AUTO_TEST_CASE(the_folder_comes_before_the_family_and_the_configuration_before_both) {
  const Folder folder;
  EmbeddingChoices choices;
  BOOST_TEST(says(told(folder.path(), choices), "pooling: expected cls or mean to be configured"));
  choices.known_as = "BAAI/bge-small-en-v1.5";
  BOOST_TEST(told(folder.path(), choices) == "cls 1 [" + std::string(kEnglish) + "]");
  folder.pooling(R"({"pooling_mode_cls_token":false,"pooling_mode_mean_tokens":true})");
  folder.write("modules.json", R"([{"type":"sentence_transformers.models.Transformer"},
                                   {"type":"sentence_transformers.models.Pooling"}])");
  folder.write("config_sentence_transformers.json", R"({"prompts":{"query":"q: ","passage":"p: "}})");
  folder.write("sentence_bert_config.json", R"({"max_seq_length":256,"do_lower_case":false})");
  BOOST_TEST(told(folder.path(), choices) == "mean any [q: ] 256");
  choices.pooling = Pooling::cls;
  choices.normalize = true;
  choices.query_prefix = "";
  BOOST_TEST(told(folder.path(), choices) == "cls 1 [] 256");
}

BOOST_AUTO_TEST_CASE(what_would_be_computed_wrongly_is_refused) {
  const Folder folder;
  folder.pooling(R"({"pooling_mode_max_tokens":true})");
  BOOST_TEST(says(told(folder.path()), "1_Pooling/config.json: expected cls or mean pooling alone"));
  folder.pooling(R"({"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":true})");
  BOOST_TEST(says(told(folder.path()), "expected cls or mean pooling alone"));
  folder.pooling(R"({"pooling_mode_mean_tokens":true,"include_prompt":false})");
  BOOST_TEST(says(told(folder.path()), "include_prompt: expected true"));
  folder.pooling("{");
  BOOST_TEST(says(told(folder.path()), "1_Pooling/config.json: not JSON"));
  folder.pooling("");
  BOOST_TEST(says(told(folder.path()), "1_Pooling/config.json: not JSON"));
  folder.pooling(R"({"pooling_mode_mean_tokens":true})");
  folder.write("modules.json", R"([{"type":"sentence_transformers.models.Dense"}])");
  BOOST_TEST(says(told(folder.path()),
                  "modules.json: expected Transformer, Pooling and Normalize, found "
                  "sentence_transformers.models.Dense"));
}

BOOST_AUTO_TEST_CASE(architectures_belong_to_a_use) {
  const auto config = [](const std::string& architecture) {
    return R"({"architectures":[")" + architecture +
           R"("],"vocab_size":9,"hidden_size":8,"num_hidden_layers":1,
      "num_attention_heads":2,"intermediate_size":8,"max_position_embeddings":64,"type_vocab_size":2,
      "layer_norm_eps":1e-12,"pad_token_id":0,"id2label":{"0":"A","1":"B"}})";
  };
  for (const std::string name : {"BertModel", "RobertaModel", "XLMRobertaModel", "BertForMaskedLM"}) {
    BOOST_TEST(parse_encoder_config(config(name), EncoderUse::embed).has_value(), name);
    BOOST_TEST(!parse_encoder_config(config(name)).has_value(), name);
  }
  const auto judge = parse_encoder_config(config("BertForSequenceClassification"), EncoderUse::embed);
  BOOST_TEST_REQUIRE(!judge.has_value());
  BOOST_TEST(says(judge.error(), "architectures: expected one of BertModel"));
}

BOOST_AUTO_TEST_SUITE_END()
