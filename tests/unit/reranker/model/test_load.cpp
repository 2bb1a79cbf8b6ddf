// What load_model says about folders that are not as they should be.
#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "reranker/model/model.hpp"
#include "reranker/model/placement.hpp"
#include "reranker/model/weights.hpp"
#include "tests/unit/reranker/model/golden.hpp"
#include "tests/unit/reranker/model/small_model.hpp"

using namespace qrerank::reranker::model;
using qrerank::tests::check_says;
using qrerank::tests::golden_folder;
using qrerank::tests::read;
using qrerank::tests::SmallModel;

namespace {

struct SmallBert : SmallModel {
  SmallBert() : SmallModel("bert") {}
};

}  // namespace

BOOST_AUTO_TEST_SUITE(load)

BOOST_AUTO_TEST_CASE(the_description_of_a_loaded_model) {
  SmallBert bert;
  const auto model = load_model(bert.spec);
  BOOST_REQUIRE(model.has_value());
  const auto& info = (*model)->info();
  BOOST_TEST(info.name == "small");
  BOOST_TEST(info.device == "cpu");
  BOOST_TEST(info.max_length == 64U);
  BOOST_TEST(info.weight_bytes > 50'000U);
  BOOST_TEST(!info.follows_instructions);
  bert.spec.dtype = "bfloat16";
  const auto other = load_model(bert.spec);
  BOOST_REQUIRE(other.has_value());
  BOOST_TEST((*other)->info().recipe_version != info.recipe_version);
  bert.spec.dtype = "auto";
  bert.spec.device = "auto";
  BOOST_TEST(bert.error() == "");
}

BOOST_AUTO_TEST_CASE(what_a_model_needs_is_told_before_it_is_loaded) {
  SmallBert bert;
  const auto loaded = load_model(bert.spec);
  BOOST_REQUIRE(loaded.has_value());
  const auto two = replica_needs(bert.spec, 2);
  BOOST_REQUIRE(two.has_value());
  BOOST_REQUIRE_EQUAL(two->size(), 2U);
  for (const auto& replica : *two) {
    BOOST_TEST(replica.device == "cpu");
    BOOST_TEST(replica.bytes == (*loaded)->info().weight_bytes);
  }
  bert.spec.dtype = "bfloat16";
  const auto half = replica_needs(bert.spec, 1);
  BOOST_REQUIRE(half.has_value());
  BOOST_TEST(half->at(0).bytes < two->at(0).bytes * 6 / 10);
  bert.spec.device = "cuda:63";
  const auto nowhere = replica_needs(bert.spec, 1);
  BOOST_REQUIRE(!nowhere.has_value());
  check_says(nowhere.error().message, "device cuda:63: ");
  bert.spec.device = "cpu";
  bert.spec.path += "/nowhere";
  const auto missing = replica_needs(bert.spec, 1);
  BOOST_REQUIRE(!missing.has_value());
  check_says(missing.error().message, "model.safetensors");
  BOOST_TEST(!gpu_memory("cuda:63").has_value());
}

BOOST_AUTO_TEST_CASE(what_is_read_is_counted) {
  for (const std::string name :
       {"bert", "roberta", "xlm-roberta", "qwen3-tied", "qwen3-label", "qwen3-untied-sharded"}) {
    SmallModel small(name);
    for (const std::string dtype : {"float32", "int8"}) {
      small.spec.dtype = dtype;
      const auto needs = replica_needs(small.spec, 1);
      BOOST_REQUIRE(needs.has_value());
      LoadProgress progress;
      BOOST_REQUIRE(load_model(small.spec, &progress).has_value());
      const auto all = needs->at(0).file_bytes;
      BOOST_TEST(progress.read() <= all, name);
      BOOST_TEST(progress.read() > all - all / 20, name);  // a head's few rows are not counted
    }
  }
}

BOOST_AUTO_TEST_CASE(max_length_is_the_smaller_of_model_and_setting) {
  SmallBert bert;
  for (const auto& [set, expected] : {std::pair{20U, 20U}, std::pair{1000U, 64U}, std::pair{0U, 64U}}) {
    bert.spec.max_length = set;
    const auto model = load_model(bert.spec);
    BOOST_REQUIRE(model.has_value());
    BOOST_TEST((*model)->info().max_length == expected);
    std::string text;
    for (int i = 0; i < 200; ++i) text += "word ";
    const auto encoded = (*model)->encode("", "a question", std::vector{text, std::string()});
    BOOST_TEST(encoded.texts.at(0).ids.size() == expected);
    BOOST_TEST(encoded.texts.at(1).ids.size() < expected);
  }
  bert.spec.max_length = 3;
  check_says(bert.error(), "max_length");
}

BOOST_AUTO_TEST_CASE(max_length_is_at_most_the_tokenizers) {
  SmallBert bert;
  for (const auto& [said, expected] :
       {std::pair{"16", 16U}, std::pair{"1000", 64U}, std::pair{"1000000000000000019884624838656", 64U}}) {
    bert.folder.write("tokenizer_config.json", std::string(R"({"model_max_length":)") + said + "}");
    const auto model = load_model(bert.spec);
    BOOST_REQUIRE(model.has_value());
    BOOST_TEST((*model)->info().max_length == expected);
  }
}

BOOST_AUTO_TEST_CASE(settings_that_cannot_be_met) {
  SmallBert bert;
  bert.spec.dtype = "float64";
  check_says(bert.error(), "dtype: expected auto, float32, bfloat16, float16 or int8, found 'float64'");
  bert.spec.dtype = "float32";
  for (const std::string device : {"gpu", "cuda:", "cuda:x", "cuda:999999999999", "cuda:-1", ""}) {
    bert.spec.device = device;
    check_says(bert.error(), "device: expected auto, cpu, cuda or cuda:N, found '" + device + "'");
  }
  bert.spec.device = "cuda:63";
  check_says(bert.error(), "device cuda:63: ");
}

BOOST_AUTO_TEST_CASE(missing_and_broken_files_are_named) {
  for (const std::string name : {"config.json", "tokenizer.json", "model.safetensors"}) {
    SmallBert bert;
    bert.folder.write(name, "{");
    check_says(bert.error(), (bert.folder.path() / name).string());
    std::filesystem::remove(bert.folder.path() / name);
    check_says(bert.error(), (bert.folder.path() / name).string());
  }
  ModelSpec nowhere;
  nowhere.path = "/nonexistent";
  const auto model = load_model(nowhere);
  BOOST_REQUIRE(!model);
  check_says(model.error().message, "/nonexistent/config.json");
}

// A pipe would hold up whoever opens it for good, with it one of the manager's two loader threads.
BOOST_AUTO_TEST_CASE(pipes_and_folders_in_the_place_of_files_are_refused) {
  for (const std::string name :
       {"config.json", "tokenizer.json", "model.safetensors", "model.safetensors.index.json"}) {
    SmallBert bert;
    const auto file = bert.folder.path() / name;
    std::filesystem::remove(file);
    if (name.ends_with("index.json")) std::filesystem::remove(bert.folder.path() / "model.safetensors");
    BOOST_REQUIRE_EQUAL(::mkfifo(file.c_str(), 0600), 0);
    check_says(bert.error(), file.string() + ": not a regular file");
    std::filesystem::remove(file);
    std::filesystem::create_directory(file);
    check_says(bert.error(), file.string() + ": not a regular file");
  }
  // Not needed to load a model.
  SmallBert bert;
  BOOST_REQUIRE_EQUAL(::mkfifo((bert.folder.path() / "tokenizer_config.json").c_str(), 0600), 0);
  BOOST_TEST(bert.error() == "");
  // A shard, by way of the index.
  SmallModel shards("qwen3-untied-sharded");
  const auto shard = shards.folder.path() / "model-00002-of-00002.safetensors";
  std::filesystem::remove(shard);
  BOOST_REQUIRE_EQUAL(::mkfifo(shard.c_str(), 0600), 0);
  check_says(shards.error(), shard.string() + ": not a regular file");
  const auto needs = replica_needs(shards.spec, 1);
  BOOST_REQUIRE(!needs.has_value());
  check_says(needs.error().message, shard.string() + ": not a regular file");
}

BOOST_AUTO_TEST_CASE(weights_that_do_not_fit_the_configuration) {
  const SmallBert wider;
  wider.edit("config.json", "\"intermediate_size\": 64", "\"intermediate_size\": 63");
  check_says(
      wider.error(),
      "model.safetensors: tensor 'bert.encoder.layer.0.intermediate.dense.weight': expected shape [63, 32], "
      "found [64, 32]");
  const SmallBert deeper;
  deeper.edit("config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 3");
  check_says(deeper.error(),
             "tensor 'bert.encoder.layer.2.attention.self.query.weight': expected shape [32, 32]");
  const SmallBert shallower;
  shallower.edit("config.json", "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1");
  check_says(shallower.error(), "tensor 'bert.encoder.layer.1.");
  check_says(shallower.error(), "expected no such tensor by config.json, found shape");
  const SmallBert smaller;
  smaller.edit("config.json", "\"vocab_size\": 300", "\"vocab_size\": 299");
  check_says(smaller.error(), "expected at most the 299 tokens of config.json, found 300");
  // Else the second text's type would be read from beyond the table.
  const SmallBert untyped;
  untyped.edit("config.json", "\"type_vocab_size\": 2", "\"type_vocab_size\": 1");
  check_says(untyped.error(), "tokenizer.json: expected type ids below the 1 of config.json, found 1");
  const SmallBert integers;
  integers.edit("model.safetensors", R"("bert.pooler.dense.bias":{"dtype":"F32")",
                R"("bert.pooler.dense.bias":{"dtype":"I32")");
  check_says(integers.error(), "tensor 'bert.pooler.dense.bias': expected dtype F32, BF16 or F16, found I32");
}

// Somebody copies another model into the folder meanwhile: memory that is mapped beyond a file's end kills
// who reads it.
BOOST_AUTO_TEST_CASE(a_file_that_is_cut_while_it_is_read_is_an_error) {
  const SmallBert bert;
  const auto file = bert.folder.path() / "model.safetensors";
  const auto checkpoint = Checkpoint::open(bert.folder.path());
  BOOST_REQUIRE(checkpoint.has_value());
  std::filesystem::resize_file(file, 4096);
  WeightReader matrix(*checkpoint);
  (void)matrix.matrix({{"bert.embeddings.word_embeddings.weight", 300}}, 32, c10::kFloat);
  check_says(matrix.error(), file.string() +
                                 ": tensor 'bert.embeddings.word_embeddings.weight': the file became "
                                 "shorter while it was read");
  WeightReader row(*checkpoint);
  (void)row.read_row("bert.embeddings.word_embeddings.weight", 300, 32, 299);
  check_says(row.error(), "the file became shorter while it was read");
}

BOOST_AUTO_TEST_CASE(not_a_number_comes_back_as_it_is) {
  SmallBert bert;
  // The head's last bias is one float32 somewhere in the file: make all of the classifier's row NaN by its
  // bytes.
  auto file = read(bert.folder.path() / "model.safetensors");
  const auto at = file.find("\"classifier.bias\"");
  const auto offsets = file.find("\"data_offsets\":[", at) + 16;
  std::uint64_t header = 0;
  for (int i = 8; i-- > 0;)
    header = header << 8U | static_cast<unsigned char>(file[static_cast<std::size_t>(i)]);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(file.data() + 8 + header + std::stoull(file.substr(offsets)), &nan, sizeof nan);
  bert.folder.write("model.safetensors", file);
  const auto model = load_model(bert.spec);
  BOOST_REQUIRE(model.has_value());
  const auto encoded = (*model)->encode("", "q", std::vector<std::string>{"d"});
  const auto logits = (*model)->logits(std::vector{BatchItem{nullptr, &encoded.texts[0]}});
  BOOST_TEST(std::isnan(logits.at(0)));
}

BOOST_AUTO_TEST_SUITE_END()
