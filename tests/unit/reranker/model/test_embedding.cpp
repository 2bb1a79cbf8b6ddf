// Vectors of whole models against transformers, alone and in any company.
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "reranker/model/model.hpp"
#include "tests/unit/reranker/model/golden.hpp"
#include "tests/unit/reranker/model/score_checks.hpp"
#include "tests/unit/reranker/model/small_model.hpp"

using namespace qrerank::reranker::model;
using qrerank::tests::golden_folder;
using qrerank::tests::SmallModel;
using qrerank::tests::worst;
using Vector = std::vector<double>;

namespace {

struct Case {
  std::string text;
  std::size_t tokens = 0;
  Vector cls;
  Vector mean;
};

struct Golden {
  std::string prefix;
  std::vector<Case> cases;
};

Vector numbers(std::string_view text) {
  simdjson::dom::parser parser;
  Vector all;
  for (const double value : parser.parse(text.data(), text.size()).get_array()) all.push_back(value);
  return all;
}

// scripts/golden_embedding.py writes them.
Golden read_vectors(const std::filesystem::path& file) {
  simdjson::dom::parser parser;
  const simdjson::dom::element root = parser.load(file.string());
  Golden golden{std::string(root["prefix"].get_string().value()), {}};
  for (const auto entry : root["cases"].get_array()) {
    golden.cases.push_back({std::string(entry["text"].get_string().value()),
                            entry["tokens"].get_uint64().value(), numbers(entry["cls"].get_string().value()),
                            numbers(entry["mean"].get_string().value())});
  }
  return golden;
}

std::unique_ptr<Model> load(const ModelSpec& spec) {
  auto model = load_model(spec);
  if (!model) throw std::runtime_error(model.error().message);
  return std::move(*model);
}

EncodedTexts encode(const Model& model, const Golden& golden) {
  std::vector<std::string> texts;
  for (const auto& wanted : golden.cases) texts.push_back(wanted.text);
  auto encoded = model.encode("", "", texts);
  BOOST_TEST(encoded.prefix == nullptr);
  BOOST_REQUIRE(encoded.texts.size() == golden.cases.size());
  for (std::size_t i = 0; i < golden.cases.size(); ++i)
    BOOST_TEST(encoded.texts[i].ids.size() == golden.cases[i].tokens, golden.cases[i].text.substr(0, 80));
  return encoded;
}

std::vector<Vector> vectors(Model& model, const std::vector<Sequence>& sequences) {
  std::vector<BatchItem> items;
  for (const auto& sequence : sequences) items.push_back({.prefix = nullptr, .body = &sequence});
  const auto all = model.logits(items);
  const auto width = model.info().width;
  BOOST_REQUIRE(all.size() == items.size() * width);
  std::vector<Vector> rows;
  for (std::size_t i = 0; i < items.size(); ++i) {
    const auto begin = all.begin() + static_cast<std::ptrdiff_t>(i * width);
    rows.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(width));
  }
  return rows;
}

double dot(const Vector& a, const Vector& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

double cosine(const Vector& a, const Vector& b) {
  return dot(a, b) / std::sqrt(dot(a, a) * dot(b, b));
}

// A committed cross-encoder, its encoder taken alone.
struct SmallEncoder : SmallModel {
  SmallEncoder(const std::string& family, const std::string& architecture, Pooling pooling)
      : SmallModel(family) {
    edit("config.json", architecture + "ForSequenceClassification", architecture + "Model");
    spec.embedding =
        EmbeddingChoices{.known_as = "", .pooling = pooling, .normalize = false, .query_prefix = "query: "};
  }
};

std::filesystem::path bge_folder() {
  return std::filesystem::path(QRERANK_CACHE_DIR) / "models" / "bge-small-en-v1.5";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(embedding)

BOOST_AUTO_TEST_CASE(small_models_of_every_family_agree_with_transformers) {
  const std::vector<std::pair<std::string, std::string>> families = {
      {"bert", "Bert"}, {"roberta", "Roberta"}, {"xlm-roberta", "XLMRoberta"}};
  for (const auto& [family, architecture] : families) {
    const auto golden = read_vectors(golden_folder() / "small" / family / "vectors.json");
    BOOST_REQUIRE(golden.cases.size() >= 8U);
    for (const auto pooling : {Pooling::cls, Pooling::mean}) {
      SmallEncoder small(family, architecture, pooling);
      const auto model = load(small.spec);
      BOOST_TEST(model->info().width == 32U);
      const auto encoded = encode(*model, golden);
      const auto together = vectors(*model, encoded.texts);
      small.spec.embedding->normalize = true;
      const auto unit = vectors(*load(small.spec), encoded.texts);
      for (std::size_t i = 0; i < together.size(); ++i) {
        const auto& wanted = pooling == Pooling::cls ? golden.cases[i].cls : golden.cases[i].mean;
        BOOST_TEST(worst(together[i], wanted) < 1e-4, family << " " << i);
        BOOST_TEST(worst(vectors(*model, {encoded.texts[i]})[0], together[i]) < 1e-5, family << " " << i);
        BOOST_TEST(std::abs(dot(unit[i], unit[i]) - 1) < 1e-5);
        BOOST_TEST(cosine(unit[i], wanted) > 0.99999);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_real_weights_agree_with_transformers) {
  BOOST_REQUIRE_MESSAGE(
      std::filesystem::exists(bge_folder()),
      bge_folder().string() + " is missing: run scripts/setup, which converts the sample weights");
  const auto golden = read_vectors(golden_folder() / "bge-small.json");
  ModelSpec spec;
  spec.name = "bge";
  spec.path = bge_folder().string();
  spec.device = "cpu";
  spec.threads = 2;
  spec.embedding.emplace();  // all that it needs to know stands in the folder, and in its name
  for (const auto& [dtype, least] :
       {std::pair{"float32", 0.99999}, std::pair{"bfloat16", 0.998}, std::pair{"int8", 0.98}}) {
    spec.dtype = dtype;
    const auto model = load(spec);
    const auto encoded = encode(*model, golden);
    const auto rows = vectors(*model, encoded.texts);
    double lowest = 1;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      BOOST_TEST(std::abs(dot(rows[i], rows[i]) - 1) < 1e-5);
      lowest = std::min(lowest, cosine(rows[i], golden.cases[i].cls));
    }
    BOOST_TEST_MESSAGE("bge-small " << dtype << ": lowest cosine " << lowest);
    BOOST_TEST(lowest > least, dtype);
  }
}

BOOST_AUTO_TEST_CASE(a_judge_makes_no_vectors_and_an_encoder_does_not_judge) {
  SmallModel judge("bert");
  judge.spec.embedding =
      EmbeddingChoices{.known_as = "", .pooling = Pooling::cls, .normalize = {}, .query_prefix = {}};
  qrerank::tests::check_says(judge.error(), "architectures: expected one of BertModel");
  SmallEncoder encoder("bert", "Bert", Pooling::cls);
  encoder.spec.embedding.reset();
  qrerank::tests::check_says(encoder.error(), "architectures: expected one of BertForSequenceClassification");
  SmallEncoder unknown("bert", "Bert", Pooling::cls);
  unknown.spec.embedding->pooling.reset();
  qrerank::tests::check_says(unknown.error(), "pooling: expected cls or mean to be configured");
}

BOOST_AUTO_TEST_SUITE_END()
