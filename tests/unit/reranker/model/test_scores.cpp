// Scores of whole models against transformers, in every dtype, alone and in any company.
#include <boost/test/unit_test.hpp>
#include <thread>

#include "reranker/model/model.hpp"
#include "tests/unit/reranker/model/golden.hpp"
#include "tests/unit/reranker/model/score_checks.hpp"

using namespace qrerank::reranker::model;
using qrerank::tests::Golden;
using qrerank::tests::golden_folder;
using qrerank::tests::load_on_cpu;
using qrerank::tests::logits_shuffled;
using qrerank::tests::read_golden;
using qrerank::tests::worst;

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

std::vector<BatchItem> items_of(const std::vector<Sequence>& sequences) {
  std::vector<BatchItem> items;
  for (const auto& sequence : sequences) items.push_back({.prefix = nullptr, .body = &sequence});
  return items;
}

std::vector<double> score(Model& model, const std::vector<Sequence>& sequences) {
  return model.logits(items_of(sequences));
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

void check_model(const std::filesystem::path& folder, const std::filesystem::path& numbers) {
  const auto golden = read_golden(numbers);
  BOOST_REQUIRE(golden.cases.size() >= 20U);
  std::vector<double> reference;
  for (const auto& wanted : golden.cases) reference.push_back(wanted.logit);
  for (const std::string dtype : {"float32", "bfloat16", "int8"}) {
    const auto model = load_on_cpu(folder, dtype);
    BOOST_TEST(model->info().dtype == dtype);
    const auto sequences = encode(*model, golden);
    const auto together = score(*model, sequences);
    const double from_reference = worst(together, reference);

    std::vector<double> alone;
    for (const auto& sequence : sequences) alone.push_back(score(*model, {sequence})[0]);
    const double from_alone = worst(alone, together);
    const double from_order = worst(logits_shuffled(*model, items_of(sequences)), together);
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
    BOOST_TEST(load_on_cpu(folder, "float32")->info().family == family);
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
  const auto one = load_on_cpu(folder, "float32", 1);
  const auto many = load_on_cpu(folder, "float32", 5);
  const auto sequences = encode(*one, golden);
  BOOST_TEST(worst(score(*one, sequences), score(*many, sequences)) < kFloat32.company);
  // The model is loaded on one thread and computes on another.
  std::vector<double> elsewhere;
  std::thread([&] { elsewhere = score(*many, sequences); }).join();
  BOOST_TEST(worst(score(*one, sequences), elsewhere) < kFloat32.company);
}

BOOST_AUTO_TEST_CASE(no_items_no_logits_and_bad_items_are_our_bug) {
  const auto model = load_on_cpu(golden_folder() / "small" / "roberta", "float32");
  BOOST_TEST(model->logits({}).empty());
  const Sequence empty;
  Sequence too_long;
  too_long.ids.resize(model->info().max_length + 1);
  Sequence typed;
  typed.ids = {0, 5, 2};
  typed.type_ids = {0};
  // A GPU does not survive a look beyond the table of words.
  const Sequence unknown{.ids = {0, 1'000'000, 2}, .type_ids = {}};
  const Sequence negative{.ids = {0, -1, 2}, .type_ids = {}};
  for (const BatchItem item :
       {BatchItem{}, BatchItem{nullptr, &empty}, BatchItem{nullptr, &too_long}, BatchItem{nullptr, &typed},
        BatchItem{&typed, &typed}, BatchItem{nullptr, &unknown}, BatchItem{nullptr, &negative}}) {
    BOOST_CHECK_THROW((void)model->logits(std::vector{item}), std::invalid_argument);
  }
}

BOOST_AUTO_TEST_SUITE_END()
