#define BOOST_TEST_MODULE reranker tokenizer
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <thread>

#include "reranker/tokenizer/tokenizer.hpp"
#include "tests/unit/reranker/model/golden.hpp"

using qrerank::reranker::tokenizer::Tokenizer;
using qrerank::tests::golden_folder;

namespace {

Tokenizer small(const std::string& family) {
  auto loaded = Tokenizer::load(golden_folder() / "small" / family / "tokenizer.json");
  if (!loaded) throw std::runtime_error(loaded.error());
  return std::move(*loaded);
}

void check_ids(const Tokenizer& tokenizer, const std::filesystem::path& file) {
  const auto golden = qrerank::tests::read_golden(file);
  BOOST_TEST(golden.tokens.size() > 10U);
  for (const auto& expected : golden.tokens) {
    BOOST_TEST_CONTEXT("text " << expected.text) {
      BOOST_TEST(tokenizer.encode(expected.text) == expected.ids, boost::test_tools::per_element());
    }
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(ids_equal_the_reference_in_every_kind_of_tokenizer) {
  for (const std::string family : {"bert", "roberta", "xlm-roberta"}) {
    BOOST_TEST_CONTEXT(family) check_ids(small(family), golden_folder() / "small" / family / "cases.json");
  }
}

BOOST_AUTO_TEST_CASE(ids_equal_the_reference_in_the_real_vocabulary) {
  BOOST_REQUIRE_MESSAGE(std::filesystem::exists(qrerank::tests::minilm_folder()),
                        qrerank::tests::minilm_missing());
  const auto loaded = Tokenizer::load(qrerank::tests::minilm_folder() / "tokenizer.json");
  BOOST_REQUIRE(loaded.has_value());
  check_ids(*loaded, golden_folder() / "minilm.json");
  BOOST_TEST(loaded->vocabulary_size() == 30522U);
}

BOOST_AUTO_TEST_CASE(no_text_places_a_control_token) {
  for (const std::string family : {"bert", "roberta", "xlm-roberta"}) {
    const auto tokenizer = small(family);
    for (const std::string spelled :
         {"[CLS]", "[SEP]", "[PAD]", "[MASK]", "<s>", "</s>", "<pad>", "<mask>"}) {
      const auto control = tokenizer.token_to_id(spelled);
      if (!control) continue;
      for (const auto& text : {spelled, "a " + spelled + " b", "a" + spelled + "b"}) {
        const auto ids = tokenizer.encode(text);
        BOOST_TEST(std::count(ids.begin(), ids.end(), *control) == 0, family << ": " << text);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(the_template_comes_from_the_file) {
  const auto bert = small("bert");
  const auto pair = bert.pair_template();
  BOOST_REQUIRE(pair.has_value());
  BOOST_TEST(pair->before.size() == 1U);
  BOOST_TEST(pair->before[0].id == *bert.token_to_id("[CLS]"));
  BOOST_TEST(pair->between.size() == 1U);
  BOOST_TEST(pair->between[0].type_id == 0);
  BOOST_TEST(pair->second_type == 1);
  BOOST_TEST(pair->after[0].type_id == 1);
  for (const std::string family : {"roberta", "xlm-roberta"}) {
    const auto other = small(family).pair_template();
    BOOST_REQUIRE(other.has_value());
    BOOST_TEST(other->size() == 4U);
    BOOST_TEST(other->between.size() == 2U);
    BOOST_TEST(other->second_type == 0);
  }
}

BOOST_AUTO_TEST_CASE(the_first_tokens_of_a_long_text_equal_the_whole_texts) {
  const auto tokenizer = small("bert");
  std::string text;
  for (int i = 0; i < 4000; ++i) text += "word" + std::to_string(i) + (i % 7 == 0 ? "\n" : " ");
  const auto whole = tokenizer.encode(text);
  for (const std::size_t wanted : {0UL, 1UL, 17UL, 500UL, whole.size(), whole.size() + 5}) {
    auto expected = whole;
    expected.resize(std::min(wanted, whole.size()));
    BOOST_TEST(tokenizer.encode_first(text, wanted) == expected, boost::test_tools::per_element());
  }
  // A text whose first megabyte has no tokens at all, and one without any whitespace.
  BOOST_TEST(tokenizer.encode_first(std::string(1'000'000, ' ') + "a", 4) == tokenizer.encode("a"),
             boost::test_tools::per_element());
  std::string hanzi;
  for (int i = 0; i < 5000; ++i) hanzi += "北";
  BOOST_TEST(tokenizer.encode_first(hanzi, 100).size() == 100U);
}

BOOST_AUTO_TEST_CASE(bytes_that_are_not_utf8_are_replaced) {
  const auto tokenizer = small("roberta");
  BOOST_TEST(tokenizer.encode("a\xff z") == tokenizer.encode("a\xef\xbf\xbd z"),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(encoding_side_by_side_gives_the_same_ids) {
  const auto tokenizer = small("bert");
  const std::string text = "The quick brown fox jumps over the lazy dog.";
  const auto expected = tokenizer.encode(text);
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 200; ++j) wrong += tokenizer.encode(text) != expected;
    });
  }
  for (auto& thread : threads) thread.join();
  BOOST_TEST(wrong == 0);
}

BOOST_AUTO_TEST_CASE(bad_files_are_errors_that_name_them) {
  const auto missing = Tokenizer::load("/nonexistent/tokenizer.json");
  BOOST_REQUIRE(!missing);
  BOOST_TEST(missing.error().find("/nonexistent/tokenizer.json") == 0U);
  const auto file =
      std::filesystem::temp_directory_path() / ("qrerank-tokenizer-" + std::to_string(::getpid()));
  for (const std::string text : {"", "{", "{}", "[1,2]", R"({"model": {"type": "WordPiece"}})"}) {
    std::ofstream(file, std::ios::binary) << text;
    const auto loaded = Tokenizer::load(file);
    BOOST_REQUIRE_MESSAGE(!loaded, text);
    BOOST_TEST(loaded.error().find(file.string()) == 0U);
  }
  // A tokenizer that lays out no pairs.
  std::ofstream(file, std::ios::binary)
      << R"({"version":"1.0","added_tokens":[],"model":{"type":"WordLevel","vocab":{"a":0,"u":1},"unk_token":"u"}})";
  const auto plain = Tokenizer::load(file);
  BOOST_REQUIRE_MESSAGE(plain.has_value(), (plain ? std::string() : plain.error()));
  BOOST_TEST(!plain->pair_template());
  std::filesystem::remove(file);
}
