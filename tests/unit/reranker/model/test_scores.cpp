// Scores of whole models against transformers, in every dtype, alone and in any company.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numeric>
#include <random>
#include <thread>

#include "reranker/model/model.hpp"
#include "tests/unit/reranker/model/golden.hpp"

using namespace qrerank::reranker::model;
using qrerank::tests::Golden;
using qrerank::tests::golden_folder;
using qrerank::tests::read_golden;

namespace {

// Logits against transformers in float32. Measured on a machine with AMX: float32 4e-6 at most, bfloat16
// 0.018 on logits from -11 to 9 (real weights) and 0.011 (small ones). Alone or in company: float32 6e-7,
// bfloat16 0.008, since the CPU library blocks by the number of rows; other CPUs block otherwise, hence the
// margins.
struct Tolerance {
  double reference;
  double company;
};
constexpr Tolerance kFloat32{1e-4, 1e-5};
constexpr Tolerance kBfloat16{0.05, 0.03};
// The distance of int8 is that of its weights, not an error: the bound only tells a broken dequantisation.
constexpr Tolerance kInt8{1.0, 0.03};

Tolerance tolerance(const std::string& dtype) {
  if (dtype == "int8") return kInt8;
  return dtype == "float32" ? kFloat32 : kBfloat16;
}

std::unique_ptr<Model> load(const std::filesystem::path& folder, const std::string& dtype, int threads = 2) {
  ModelSpec spec;
  spec.name = "test";
  spec.path = folder.string();
  spec.dtype = dtype;
  spec.device = "cpu";
  spec.threads = threads;
  auto model = load_model(spec);
  if (!model) throw std::runtime_error(model.error().message);
  return std::move(*model);
}

std::vector<double> score(Model& model, const std::vector<Sequence>& sequences) {
  std::vector<BatchItem> items;
  for (const auto& sequence : sequences) items.push_back({.prefix = nullptr, .body = &sequence});
  return model.logits(items);
}

std::vector<Sequence> encode(const Model& model, const Golden& golden) {
  std::vector<Sequence> sequences;
  for (const auto& wanted : golden.cases) {
    auto encoded = model.encode("", wanted.query, std::vector<std::string>{wanted.text});
    BOOST_TEST(encoded.prefix == nullptr);
    BOOST_TEST(encoded.texts.at(0).ids.size() == wanted.tokens, wanted.text.substr(0, 80));
    sequences.push_back(std::move(encoded.texts.at(0)));
  }
  return sequences;
}

double worst(const std::vector<double>& a, const std::vector<double>& b) {
  BOOST_REQUIRE(a.size() == b.size());
  double worst = 0;
  for (std::size_t i = 0; i < a.size(); ++i) worst = std::max(worst, std::abs(a[i] - b[i]));
  return worst;
}

void check_model(const std::filesystem::path& folder, const std::filesystem::path& numbers) {
  const auto golden = read_golden(numbers);
  BOOST_REQUIRE(golden.cases.size() >= 20U);
  std::vector<double> reference;
  for (const auto& wanted : golden.cases) reference.push_back(wanted.logit);
  for (const std::string dtype : {"float32", "bfloat16", "int8"}) {
    const auto model = load(folder, dtype);
    BOOST_TEST(model->info().dtype == dtype);
    const auto sequences = encode(*model, golden);
    const auto together = score(*model, sequences);
    const double from_reference = worst(together, reference);

    double from_alone = 0;
    for (std::size_t i = 0; i < sequences.size(); ++i) {
      from_alone = std::max(from_alone, std::abs(score(*model, {sequences[i]})[0] - together[i]));
    }
    std::vector<std::size_t> order(sequences.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::shuffle(order.begin(), order.end(), std::mt19937(11));
    std::vector<Sequence> shuffled;
    for (const auto i : order) shuffled.push_back(sequences[i]);
    const auto in_other_order = score(*model, shuffled);
    double from_order = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      from_order = std::max(from_order, std::abs(in_other_order[i] - together[order[i]]));
    }
    BOOST_TEST_MESSAGE(model->info().family << " " << dtype << ": reference " << from_reference << ", alone "
                                            << from_alone << ", order " << from_order);
    BOOST_TEST(from_reference < tolerance(dtype).reference);
    BOOST_TEST(from_alone < tolerance(dtype).company);
    BOOST_TEST(from_order < tolerance(dtype).company);
  }
}

}  // namespace

BOOST_AUTO_TEST_SUITE(scores)

BOOST_AUTO_TEST_CASE(small_models_of_every_family_agree_with_transformers) {
  for (const std::string family : {"bert", "roberta", "xlm-roberta"}) {
    const auto folder = golden_folder() / "small" / family;
    BOOST_TEST_CONTEXT(family) check_model(folder, folder / "cases.json");
    BOOST_TEST(load(folder, "float32")->info().family == family);
  }
}

BOOST_AUTO_TEST_CASE(the_real_weights_agree_with_transformers) {
  BOOST_REQUIRE_MESSAGE(std::filesystem::exists(qrerank::tests::minilm_folder()),
                        qrerank::tests::minilm_missing());
  check_model(qrerank::tests::minilm_folder(), golden_folder() / "minilm.json");
}

BOOST_AUTO_TEST_CASE(threads_do_not_change_scores) {
  const auto folder = golden_folder() / "small" / "bert";
  const auto golden = read_golden(folder / "cases.json");
  const auto one = load(folder, "float32", 1);
  const auto many = load(folder, "float32", 5);
  const auto sequences = encode(*one, golden);
  BOOST_TEST(worst(score(*one, sequences), score(*many, sequences)) < kFloat32.company);
  // The model is loaded on one thread and computes on another.
  std::vector<double> elsewhere;
  std::thread([&] { elsewhere = score(*many, sequences); }).join();
  BOOST_TEST(worst(score(*one, sequences), elsewhere) < kFloat32.company);
}

BOOST_AUTO_TEST_CASE(no_items_no_logits_and_bad_items_are_our_bug) {
  const auto model = load(golden_folder() / "small" / "roberta", "float32");
  BOOST_TEST(model->logits({}).empty());
  const Sequence empty;
  Sequence too_long;
  too_long.ids.resize(model->info().max_length + 1);
  Sequence typed;
  typed.ids = {0, 5, 2};
  typed.type_ids = {0};
  for (const BatchItem item : {BatchItem{}, BatchItem{nullptr, &empty}, BatchItem{nullptr, &too_long},
                               BatchItem{nullptr, &typed}, BatchItem{&typed, &typed}}) {
    BOOST_CHECK_THROW((void)model->logits(std::vector{item}), std::invalid_argument);
  }
}

BOOST_AUTO_TEST_SUITE_END()
