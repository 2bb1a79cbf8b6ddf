#include <boost/test/unit_test.hpp>
#include <string>

#include "reranker/model/qwen3_config.hpp"

using namespace qrerank::reranker::model;

namespace {

// Qwen3-Reranker-0.6B's, as published, less what no computation reads.
const std::string kPublished =
    R"({"architectures":["Qwen3ForCausalLM"],"attention_bias":false,"attention_dropout":0.0,"head_dim":128,)"
    R"("hidden_act":"silu","hidden_size":1024,"intermediate_size":3072,"max_position_embeddings":40960,)"
    R"("model_type":"qwen3","num_attention_heads":16,"num_hidden_layers":28,"num_key_value_heads":8,)"
    R"("rms_norm_eps":1e-06,"rope_scaling":null,"rope_theta":1000000,"sliding_window":null,)"
    R"("tie_word_embeddings":true,"use_sliding_window":false,"vocab_size":151669})";

std::string with(const std::string& from, const std::string& to) {
  auto text = kPublished;
  const auto at = text.find(from);
  if (at == std::string::npos) throw std::logic_error("not in the text: " + from);
  return text.replace(at, from.size(), to);
}

std::string error_of(const std::string& json) {
  const auto config = parse_qwen3_config(json);
  return config ? "" : config.error();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(qwen3_config)

BOOST_AUTO_TEST_CASE(the_published_file) {
  BOOST_TEST(is_qwen3_config(kPublished));
  const auto config = parse_qwen3_config(kPublished);
  BOOST_REQUIRE_MESSAGE(config.has_value(), error_of(kPublished));
  BOOST_TEST((config->head == Qwen3Head::tied));
  BOOST_TEST(config->heads == 16);
  BOOST_TEST(config->kv_heads == 8);
  BOOST_TEST(config->head_dim == 128);
  BOOST_TEST(config->rope_theta == 1e6);
  BOOST_TEST(config->rms_norm_eps == 1e-6);
}

BOOST_AUTO_TEST_CASE(where_the_logit_comes_from) {
  for (const auto* untied : {"\"tie_word_embeddings\":false", "\"unknown\":1"}) {
    BOOST_TEST((parse_qwen3_config(with("\"tie_word_embeddings\":true", untied))->head == Qwen3Head::untied));
  }
  const auto label = with("Qwen3ForCausalLM", "Qwen3ForSequenceClassification");
  BOOST_TEST((parse_qwen3_config(label)->head == Qwen3Head::label));
}

BOOST_AUTO_TEST_CASE(rope_may_be_written_in_two_ways) {
  const auto nested =
      with("\"rope_theta\":1000000", R"("rope_parameters":{"rope_theta":5e5,"rope_type":"default"})");
  BOOST_TEST(error_of(nested) == "");
  BOOST_TEST(parse_qwen3_config(nested)->rope_theta == 5e5);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_computed_is_an_error_that_names_the_member) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "not JSON"},
      {"{\"architectures\":[\"Qwen3ForCausalLM\"", "not JSON"},
      {"[]", "not an object"},
      {with("Qwen3ForCausalLM", "Qwen3MoeForCausalLM"), "found Qwen3MoeForCausalLM"},
      {with("\"hidden_size\":1024,", ""), "hidden_size: expected an integer, found none"},
      {with("\"hidden_size\":1024", "\"hidden_size\":\"1024\""),
       "hidden_size: expected an integer, found \"1024\""},
      {with("\"num_hidden_layers\":28", "\"num_hidden_layers\":0"),
       "num_hidden_layers: expected 1..512, found 0"},
      {with("\"num_key_value_heads\":8", "\"num_key_value_heads\":5"),
       "num_key_value_heads: expected a divisor of num_attention_heads 16, found 5"},
      {with("\"head_dim\":128", "\"head_dim\":127"), "head_dim: expected an even number, found 127"},
      {with("\"vocab_size\":151669", "\"vocab_size\":99999999"), "vocab_size"},
      {with("silu", "gelu"), "hidden_act: expected \"silu\""},
      {with("\"attention_bias\":false", "\"attention_bias\":true"),
       "attention_bias: expected false, found true"},
      {with("\"attention_bias\":false", "\"attention_bias\":1"), "attention_bias: expected true or false"},
      {with("\"use_sliding_window\":false", "\"use_sliding_window\":true"), "use_sliding_window"},
      {with("\"rope_scaling\":null", R"("rope_scaling":{"rope_type":"yarn","factor":4})"), "rope_scaling"},
      {with("\"rope_scaling\":null", R"("rope_scaling":{"factor":4})"), "rope_scaling"},
      {with("\"rope_scaling\":null", "\"rope_scaling\":4"), "rope_scaling"},
      {with("\"rope_theta\":1000000", "\"rope_theta\":-1"), "rope_theta"},
      {with("\"rope_theta\":1000000", R"("rope_parameters":{"rope_theta":1e6,"rope_type":"yarn"})"),
       "rope_type"},
      {with("\"sliding_window\":null", R"("layer_types":["full_attention","sliding_attention"])"),
       "layer_types"},
      {with("\"sliding_window\":null", R"("layer_types":"sliding_attention")"),
       "layer_types: expected a list, found \"sliding_attention\""},
      {with("\"rope_theta\":1000000", R"("rope_parameters":{"rope_theta":1e6,"type":"linear","factor":2})"),
       "type: expected \"default\", found \"linear\""},
      {with("\"rope_theta\":1000000", R"("rope_theta":1e6,"rope_parameters":"yarn")"),
       "rope_parameters: expected an object, found \"yarn\""},
      {with("\"rope_theta\":1000000",
            R"("rope_parameters":{"rope_theta":1e6,"rope_type":"default","partial_rotary_factor":0.5})"),
       "partial_rotary_factor: expected 1, found 0.5"},
      {with("\"sliding_window\":null", R"("partial_rotary_factor":0.25)"),
       "partial_rotary_factor: expected 1, found 0.25"},
      {with("\"sliding_window\":null", R"("is_causal":false)"), "is_causal: expected true, found false"},
      {with("\"sliding_window\":null", R"("quantization_config":{"quant_method":"fp8"})"),
       R"(quantization_config: expected none, found {"quant_method":"fp8"})"},
      {with("\"head_dim\":128,", ""), "head_dim: expected an integer, found none"},
      {with("\"rms_norm_eps\":1e-06", "\"rms_norm_eps\":0"),
       "rms_norm_eps: expected a number between 0 and 1, found 0"},
      {with("\"rms_norm_eps\":1e-06,", ""), "rms_norm_eps: expected a number between 0 and 1, found none"},
      {with("\"tie_word_embeddings\":true", "\"tie_word_embeddings\":\"yes\""), "tie_word_embeddings"},
      {with("Qwen3ForCausalLM\"]", R"(Qwen3ForSequenceClassification"],"num_labels":2)"), "one label"},
  };
  for (const auto& [text, says] : cases) {
    const auto error = error_of(text);
    BOOST_TEST(error.find(says) != std::string::npos, text << ": '" << error << "' does not say " << says);
  }
  BOOST_TEST(!is_qwen3_config("{"));
  BOOST_TEST(!is_qwen3_config(R"({"architectures":["BertForSequenceClassification"]})"));
}

BOOST_AUTO_TEST_SUITE_END()
