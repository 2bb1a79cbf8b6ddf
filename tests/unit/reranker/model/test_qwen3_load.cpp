// Qwen3 folders that are as they should be, and those that are not.
#include <boost/test/unit_test.hpp>
#include <random>

#include "reranker/model/model.hpp"
#include "tests/unit/reranker/model/small_model.hpp"

using namespace qrerank::reranker::model;
using qrerank::tests::check_says;
using qrerank::tests::read;
using qrerank::tests::SmallModel;

BOOST_AUTO_TEST_SUITE(qwen3_load)

BOOST_AUTO_TEST_CASE(the_description_of_a_loaded_model) {
  SmallModel tied("qwen3-tied");
  std::size_t kept = 0;
  for (const std::string dtype : {"float32", "bfloat16", "int8"}) {
    tied.spec.dtype = dtype;
    const auto model = load_model(tied.spec);
    BOOST_REQUIRE_MESSAGE(model.has_value(), tied.error());
    const auto& info = (*model)->info();
    BOOST_TEST(info.family == "qwen3");
    BOOST_TEST(info.dtype == dtype);
    BOOST_TEST(info.max_length == 256U);
    BOOST_TEST(info.follows_instructions);
    BOOST_TEST(info.activation_bytes_per_token > 0U);
    BOOST_TEST(info.recipe_version.find(dtype) != std::string::npos);
    if (kept != 0) BOOST_TEST(info.weight_bytes < 0.6 * static_cast<double>(kept));
    kept = info.weight_bytes;
  }
  tied.spec.max_length = 200;
  BOOST_TEST((*load_model(tied.spec))->info().max_length == 200U);
}

BOOST_AUTO_TEST_CASE(settings_that_cannot_be_met) {
  SmallModel tied("qwen3-tied");
  tied.spec.max_length = 50;
  check_says(tied.error(), "max_length: expected more than the ");
  tied.spec.max_length = 0;
  tied.spec.dtype = "float16";
  check_says(tied.error(), "dtype float16: expected a CUDA device, found the CPU");
}

BOOST_AUTO_TEST_CASE(a_tokenizer_without_the_template_or_the_answers) {
  const SmallModel no_end("qwen3-tied");
  no_end.edit("tokenizer.json", "<|im_end|>", "<|im_over|>");
  check_says(no_end.error(), "tokenizer.json: expected the control token '<|im_end|>', found none");
  // `yes` is put together by one merge: without it there are more tokens.
  const SmallModel no_yes("qwen3-tied");
  no_yes.edit("tokenizer.json", "\"yes\":", "\"yez\":");
  const auto error = no_yes.error();
  BOOST_TEST(error.find("tokenizer.json") != std::string::npos, error);
  // A one-label head asks for no answer.
  const SmallModel larger("qwen3-label");
  larger.edit("config.json", "\"vocab_size\": 416", "\"vocab_size\": 300");
  check_says(larger.error(), "expected at most the 300 tokens of config.json, found 407");
}

BOOST_AUTO_TEST_CASE(weights_that_do_not_fit_the_configuration) {
  const SmallModel wider("qwen3-tied");
  wider.edit("config.json", "\"intermediate_size\": 64", "\"intermediate_size\": 63");
  check_says(
      wider.error(),
      "model.safetensors: tensor 'model.layers.0.mlp.gate_proj.weight': expected shape [63, 32], found "
      "[64, 32]");
  const SmallModel deeper("qwen3-tied");
  deeper.edit("config.json", "\"num_hidden_layers\": 3", "\"num_hidden_layers\": 4");
  check_says(deeper.error(),
             "tensor 'model.layers.3.input_layernorm.weight': expected shape [32], found no such tensor");
  const SmallModel grouped("qwen3-tied");
  grouped.edit("config.json", "\"num_key_value_heads\": 2", "\"num_key_value_heads\": 4");
  check_says(grouped.error(),
             "'model.layers.0.self_attn.k_proj.weight': expected shape [64, 32], found [32, 32]");
  const SmallModel shallower("qwen3-tied");
  shallower.edit("config.json", "\"num_hidden_layers\": 3", "\"num_hidden_layers\": 2");
  check_says(shallower.error(),
             "model.safetensors: tensor 'model.layers.2.input_layernorm.weight': expected no such tensor by "
             "config.json, found shape [32]");
  const SmallModel untied("qwen3-tied");
  untied.edit("config.json", "\"tie_word_embeddings\": true", "\"tie_word_embeddings\": false");
  check_says(untied.error(), "tensor 'lm_head.weight': expected shape [416, 32], found no such tensor");
  const SmallModel integers("qwen3-label");
  integers.edit("model.safetensors", R"("score.weight":{"dtype":"F32")", R"("score.weight":{"dtype":"I32")");
  check_says(integers.error(), "tensor 'score.weight': expected dtype F32, BF16 or F16, found I32");
  const SmallModel shard("qwen3-untied-sharded");
  std::filesystem::remove(shard.folder.path() / "model-00002-of-00002.safetensors");
  check_says(shard.error(), "model-00002-of-00002.safetensors");
}

BOOST_AUTO_TEST_CASE(truncated_and_spoiled_files_are_errors_never_crashes) {
  std::mt19937 random(3);
  const SmallModel model("qwen3-tied");
  for (const std::string name : {"model.safetensors", "config.json", "tokenizer.json"}) {
    const auto whole = read(model.folder.path() / name);
    for (const double share : {0.0, 0.001, 0.01, 0.1, 0.5, 0.99}) {
      model.folder.write(
          name, whole.substr(0, static_cast<std::size_t>(share * static_cast<double>(whole.size()))));
      const auto error = model.error();
      BOOST_TEST(error.find(name) != std::string::npos, name << " cut at " << share << ": '" << error << "'");
    }
    // Single bytes of the header or the text: an error or a model, no crash.
    const auto reach = std::min<std::size_t>(whole.size(), 2000);
    for (int i = 0; i < 40; ++i) {
      auto spoiled = whole;
      spoiled[random() % reach] = static_cast<char>(random());
      model.folder.write(name, spoiled);
      (void)model.error();
    }
    model.folder.write(name, whole);
  }
  BOOST_TEST(model.error() == "");
}

BOOST_AUTO_TEST_SUITE_END()
