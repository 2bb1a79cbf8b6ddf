#include <boost/test/unit_test.hpp>
#include <string>

#include "reranker/model/config_members.hpp"
#include "reranker/model/encoder_config.hpp"
#include "tests/unit/reranker/model/safetensors_file.hpp"

using namespace qrerank::reranker::model;

namespace {

const std::string kBert =
    R"({"architectures":["BertForSequenceClassification"],"hidden_size":384,"id2label":{"0":"LABEL_0"},)"
    R"("intermediate_size":1536,"layer_norm_eps":1e-12,"max_position_embeddings":512,"num_attention_heads":12,)"
    R"("num_hidden_layers":12,"type_vocab_size":2,"vocab_size":30522,"hidden_act":"gelu","pad_token_id":1})";

std::string with(const std::string& from, const std::string& to) {
  auto text = kBert;
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::logic_error("not in the text: " + from);
  return text.replace(at, from.size(), to);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(encoder_config)

BOOST_AUTO_TEST_CASE(families_and_their_lengths) {
  const auto bert = parse_encoder_config(kBert);
  BOOST_REQUIRE_MESSAGE(bert.has_value(), (bert ? std::string() : bert.error()));
  BOOST_TEST(family_name(bert->family) == "bert");
  BOOST_TEST(bert->max_length() == 512);
  BOOST_TEST(bert->first_position() == 0);
  for (const auto& [name, family] :
       {std::pair{"Roberta", "roberta"}, std::pair{"XLMRoberta", "xlm-roberta"}}) {
    auto text = with("[\"Bert", std::string("[\"") + name);
    const auto config = parse_encoder_config(text);
    BOOST_REQUIRE_MESSAGE(config.has_value(), (config ? std::string() : config.error()));
    BOOST_TEST(family_name(config->family) == family);
    BOOST_TEST(config->max_length() == 510);
    BOOST_TEST(config->first_position() == 2);
  }
}

BOOST_AUTO_TEST_CASE(labels_may_be_counted_or_left_to_the_classifier) {
  BOOST_TEST(!!parse_encoder_config(with(R"("id2label":{"0":"LABEL_0"},)", "")));
  BOOST_TEST(!!parse_encoder_config(with(R"("id2label":{"0":"LABEL_0"})", R"("num_labels":1)")));
}

BOOST_AUTO_TEST_CASE(an_embedding_models_width_is_told_by_its_folder) {
  const qrerank::tests::TemporaryFolder folder;
  BOOST_TEST(vector_width(folder.path()) == 0U);
  folder.write("config.json", with("BertForSequenceClassification", "BertModel"));
  BOOST_TEST(vector_width(folder.path()) == 384U);
  folder.write("config.json", kBert);  // it judges
  BOOST_TEST(vector_width(folder.path()) == 0U);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_computed_is_an_error_that_names_the_member) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "not JSON"},
      {"{", "not JSON"},
      {"[]", "not an object"},
      {"{}", "architectures"},
      {with("BertForSequenceClassification", "BertForMaskedLM"), "found BertForMaskedLM"},
      {with("\"hidden_size\":384,", ""), "hidden_size"},
      {with("\"hidden_size\":384", "\"hidden_size\":\"384\""), "hidden_size"},
      {with("\"hidden_size\":384", "\"hidden_size\":0"), "hidden_size: expected 1..65536, found 0"},
      {with("\"hidden_size\":384", "\"hidden_size\":385"), "num_attention_heads"},
      {with("\"num_hidden_layers\":12", "\"num_hidden_layers\":-1"), "num_hidden_layers"},
      {with("\"num_hidden_layers\":12", "\"num_hidden_layers\":99999999999"), "num_hidden_layers"},
      {with("\"vocab_size\":30522", "\"vocab_size\":4000001"), "vocab_size"},
      {with("1e-12", "0"), "layer_norm_eps"},
      {with("1e-12", "\"x\""), "layer_norm_eps"},
      {with("\"gelu\"", "\"relu\""), "hidden_act: expected \"gelu\", found \"relu\""},
      {with("\"pad_token_id\"", "\"position_embedding_type\":\"relative_key\",\"pad_token_id\""),
       "position_embedding_type"},
      {with(R"({"0":"LABEL_0"})", R"({"0":"A","1":"B"})"), "one label"},
      {with(R"("id2label":{"0":"LABEL_0"})", R"("num_labels":3)"), "one label"},
      {with("\"max_position_embeddings\":512", "\"max_position_embeddings\":4"), "max_position_embeddings"},
      {with("\"pad_token_id\"", "\"is_decoder\":true,\"pad_token_id\""),
       "is_decoder: expected false, found true"},
      {with("\"pad_token_id\"", R"("quantization_config":{"quant_method":"gptq"},"pad_token_id")"),
       R"(quantization_config: expected none, found {"quant_method":"gptq"})"},
  };
  for (const auto& [text, says] : cases) {
    const auto config = parse_encoder_config(text);
    BOOST_REQUIRE_MESSAGE(!config, text);
    BOOST_TEST(config.error().find(says) != std::string::npos, text << ": " << config.error());
  }
}

BOOST_AUTO_TEST_SUITE_END()
