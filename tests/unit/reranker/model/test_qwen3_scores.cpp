// Scores of whole Qwen3 models against transformers, in every dtype: alone, in any company, with the shared
// prefix and without.
#include <algorithm>
#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>

#include "reranker/model/model.hpp"
#include "reranker/model/safetensors.hpp"
#include "tests/unit/reranker/model/golden.hpp"
#include "tests/unit/reranker/model/score_checks.hpp"
#include "tests/unit/reranker/model/small_model.hpp"

using namespace qrerank::reranker::model;
using qrerank::tests::Golden;
using qrerank::tests::golden_folder;
using qrerank::tests::load_on_cpu;
using qrerank::tests::logits_shuffled;
using qrerank::tests::read_golden;
using qrerank::tests::worst;

namespace {

const std::vector<std::string> kVariants{"qwen3-tied", "qwen3-untied-sharded", "qwen3-label"};

// Probabilities against transformers in float32, and logits alone against in company. int8's distance from
// the reference is that of its weights, not an error: the bound only tells a broken dequantisation.
struct Tolerance {
  double reference;
  double company;
};

Tolerance tolerance(const std::string& dtype) {
  if (dtype == "float32") return {1e-5, 2e-5};
  // Arithmetic is float32 on most CPUs, bfloat16 where the device multiplies it: transformers in bfloat16 is
  // up to 0.0094 from its own float32 then (`logit_bfloat16` in the golden files).
  return dtype == "bfloat16" ? Tolerance{0.015, 0.05} : Tolerance{0.05, 0.05};
}

double probability(double logit) {
  return 1 / (1 + std::exp(-logit));
}

std::unique_ptr<Model> load(const std::string& variant, const std::string& dtype, int threads = 2) {
  return load_on_cpu(golden_folder() / "small" / variant, dtype, threads);
}

/// The golden cases as tokens; each has its own prefix pointer, equal where the question is.
struct Encoded {
  std::vector<std::shared_ptr<const Sequence>> prefixes;
  std::vector<Sequence> bodies;

  [[nodiscard]] std::vector<BatchItem> items() const {
    std::vector<BatchItem> items;
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      items.push_back({.prefix = prefixes[i].get(), .body = &bodies[i]});
    }
    return items;
  }

  /// Prefix and body as one sequence.
  [[nodiscard]] std::vector<Sequence> whole() const {
    std::vector<Sequence> sequences;
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      sequences.push_back(*prefixes[i]);
      sequences.back().ids.insert(sequences.back().ids.end(), bodies[i].ids.begin(), bodies[i].ids.end());
    }
    return sequences;
  }
};

Encoded encode(const Model& model, const Golden& golden) {
  Encoded encoded;
  for (const auto& wanted : golden.cases) {
    auto texts = model.encode(wanted.instruction, wanted.query, std::vector<std::string>{wanted.text});
    BOOST_REQUIRE(texts.prefix != nullptr);
    BOOST_TEST(texts.prefix->ids.size() == wanted.prefix_tokens, wanted.query.substr(0, 80));
    BOOST_TEST(texts.prefix->ids.size() + texts.texts.at(0).ids.size() == wanted.tokens,
               wanted.text.substr(0, 80));
    encoded.prefixes.push_back(std::move(texts.prefix));
    encoded.bodies.push_back(std::move(texts.texts.at(0)));
  }
  return encoded;
}

std::vector<double> probabilities(std::vector<double> logits) {
  std::ranges::transform(logits, logits.begin(), probability);
  return logits;
}

/// The file with all its BF16 tensors as F32 or F16, which hold the same numbers (F16 all but the tiniest).
std::string stored_as(const std::string& file, const std::string& dtype) {
  const auto layout = parse_safetensors(file);
  BOOST_REQUIRE(layout.has_value());
  std::string header = "{";
  std::string bytes;
  for (const auto& tensor : layout->tensors) {
    BOOST_REQUIRE(tensor.dtype == "BF16");
    const auto begin = bytes.size();
    for (auto at = layout->data_offset + tensor.begin; at < layout->data_offset + tensor.end; at += 2) {
      std::uint32_t bits = 0;
      std::memcpy(reinterpret_cast<char*>(&bits) + 2, &file[at], 2);
      const auto value = std::bit_cast<float>(bits);
      const auto half = static_cast<_Float16>(value);
      const auto* from =
          dtype == "F32" ? reinterpret_cast<const char*>(&value) : reinterpret_cast<const char*>(&half);
      bytes.append(from, dtype == "F32" ? 4 : 2);
    }
    header += (header.size() > 1 ? "," : "") + ("\"" + tensor.name + R"(":{"dtype":")" + dtype) +
              R"(","shape":)" + shape_text(tensor.shape) + R"(,"data_offsets":[)" + std::to_string(begin) +
              "," + std::to_string(bytes.size()) + "]}";
  }
  return qrerank::tests::safetensors_bytes(header + "}", 0) + bytes;
}

void check(const std::string& variant, const std::string& dtype) {
  const auto golden = read_golden(golden_folder() / "small" / variant / "cases.json");
  BOOST_REQUIRE(golden.cases.size() >= 20U);
  const auto model = load(variant, dtype);
  BOOST_TEST(model->info().dtype == dtype);
  BOOST_TEST(model->info().family == "qwen3");
  BOOST_TEST(model->info().follows_instructions);
  const auto encoded = encode(*model, golden);
  std::vector<double> reference;
  for (const auto& wanted : golden.cases) reference.push_back(wanted.logit);
  const auto [low, high] = std::ranges::minmax(probabilities(reference));
  BOOST_TEST(high - low > 0.1, "the random model says the same of every text");

  const auto items = encoded.items();
  const auto together = model->logits(items);
  const double from_reference = worst(probabilities(together), probabilities(reference));

  std::vector<double> alone;
  for (const auto& item : items) {
    model->release_cached_memory();  // no prefix from the batch above
    alone.push_back(model->logits(std::vector{item}).at(0));
  }
  const auto whole = encoded.whole();
  std::vector<BatchItem> without_prefix;
  for (const auto& sequence : whole) without_prefix.push_back({.prefix = nullptr, .body = &sequence});
  const double company = std::max({worst(alone, together), worst(logits_shuffled(*model, items), together),
                                   worst(model->logits(without_prefix), together)});
  BOOST_TEST_MESSAGE(variant << " " << dtype << ": reference " << from_reference << ", company " << company);
  BOOST_TEST(from_reference < tolerance(dtype).reference);
  BOOST_TEST(company < tolerance(dtype).company);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(qwen3_scores)

BOOST_AUTO_TEST_CASE(every_variant_agrees_with_transformers_in_every_dtype) {
  for (const auto& variant : kVariants) {
    for (const std::string dtype : {"float32", "bfloat16", "int8"}) {
      BOOST_TEST_CONTEXT(variant << " " << dtype) check(variant, dtype);
    }
  }
}

BOOST_AUTO_TEST_CASE(files_of_every_dtype_give_the_same_scores) {
  const qrerank::tests::SmallModel small("qwen3-tied");
  const auto file = qrerank::tests::read(small.folder.path() / "model.safetensors");
  const auto score = [&] {
    const auto model = load_on_cpu(small.folder.path(), "float32");
    const auto encoded = model->encode("", "a question", std::vector<std::string>{"a", "b c", "d e f g"});
    std::vector<BatchItem> items;
    for (const auto& body : encoded.texts) items.push_back({.prefix = encoded.prefix.get(), .body = &body});
    return model->logits(items);
  };
  const auto from_bfloat16 = score();
  small.folder.write("model.safetensors", stored_as(file, "F32"));
  BOOST_TEST(worst(score(), from_bfloat16) == 0);
  small.folder.write("model.safetensors", stored_as(file, "F16"));
  BOOST_TEST(worst(score(), from_bfloat16) < 1e-4);
}

BOOST_AUTO_TEST_CASE(threads_and_pieces_do_not_change_scores) {
  const auto golden = read_golden(golden_folder() / "small" / "qwen3-tied" / "cases.json");
  const auto one = load("qwen3-tied", "float32", 1);
  const auto many = load("qwen3-tied", "float32", 7);
  const auto encoded = encode(*one, golden);
  // Enough tokens for several pieces.
  auto items = encoded.items();
  const auto once = items.size();
  for (int copies = 0; copies < 3; ++copies) items.insert(items.end(), items.begin(), items.begin() + once);
  const auto logits = one->logits(items);
  BOOST_TEST(worst(logits, many->logits(items)) < tolerance("float32").company);
  for (std::size_t i = 0; i < items.size(); ++i) {
    BOOST_TEST(std::abs(logits[i] - logits[i % once]) < tolerance("float32").company);
  }
}

BOOST_AUTO_TEST_CASE(equal_questions_share_one_prefix) {
  const auto model = load("qwen3-label", "float32");
  const std::vector<std::string> texts{"a", "b"};
  const auto first = model->encode("", "a question", texts);
  const auto second = model->encode("", "a question", texts);
  const auto other = model->encode("be strict", "a question", texts);
  BOOST_TEST(first.prefix == second.prefix);
  BOOST_TEST(first.prefix != other.prefix);
  BOOST_TEST(first.texts.size() == 2U);
  const std::string named = "Given a web search query, retrieve relevant passages that answer the query";
  BOOST_TEST(model->encode(named, "a question", texts).prefix == first.prefix);
}

BOOST_AUTO_TEST_CASE(no_items_no_logits_and_bad_items_are_our_bug) {
  const auto model = load("qwen3-tied", "float32");
  BOOST_TEST(model->logits({}).empty());
  const Sequence empty;
  const Sequence good{.ids = {1, 2, 3}, .type_ids = {}};
  const Sequence typed{.ids = {1, 2, 3}, .type_ids = {0, 0, 0}};
  const Sequence unknown{.ids = {1, 416}, .type_ids = {}};
  const Sequence negative{.ids = {-1}, .type_ids = {}};
  Sequence too_long;
  too_long.ids.resize(model->info().max_length);
  for (const BatchItem item :
       {BatchItem{}, BatchItem{&good, nullptr}, BatchItem{&good, &empty}, BatchItem{&empty, &good},
        BatchItem{nullptr, &typed}, BatchItem{&good, &unknown}, BatchItem{&negative, &good},
        BatchItem{&good, &too_long}}) {
    BOOST_CHECK_THROW((void)model->logits(std::vector{item}), std::invalid_argument);
  }
  const std::vector<BatchItem> longest{{.prefix = nullptr, .body = &too_long}};
  BOOST_TEST(std::isfinite(model->logits(longest).at(0)));
}

BOOST_AUTO_TEST_SUITE_END()
