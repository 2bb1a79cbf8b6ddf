#include <boost/test/unit_test.hpp>
#include <stdexcept>

#include "reranker/prompt/qwen3.hpp"

using namespace qrerank::reranker::prompt;
using Ids = std::vector<std::int32_t>;

namespace {

const Qwen3Template kLayout{.before = {1, 2, 3}, .label = {8, 9}, .after = {5, 6}};

std::string text_of(std::span<const Qwen3Part> parts) {
  std::string text;
  for (const auto& part : parts) text += part.text;
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(qwen3_prompt)

BOOST_AUTO_TEST_CASE(the_published_texts) {
  BOOST_TEST(
      text_of(qwen3_before()) ==
      "<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the "
      "Instruct provided. Note that the answer can only be \"yes\" or \"no\".<|im_end|>\n<|im_start|>user\n");
  BOOST_TEST(text_of(qwen3_after()) == "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n");
  for (const auto parts : {qwen3_before(), qwen3_after()}) {
    for (const auto& part : parts) BOOST_TEST(part.control == (part.text.front() == '<'));
  }
  BOOST_TEST(qwen3_question("I", "Q") == "<Instruct>: I\n<Query>: Q");
  BOOST_TEST(
      qwen3_question("", "Q") ==
      "<Instruct>: Given a web search query, retrieve relevant passages that answer the query\n<Query>: Q");
  BOOST_TEST(qwen3_document("D") == " D");
}

BOOST_AUTO_TEST_CASE(a_question_that_fits_is_taken_as_it_is) {
  const Ids whole{20, 21, 22, 8, 9};
  const auto prefix = qwen3_prefix(kLayout, whole, {}, 10);
  BOOST_TEST(prefix.ids == (Ids{1, 2, 3, 20, 21, 22, 8, 9}), boost::test_tools::per_element());
  BOOST_TEST(qwen3_document_room(kLayout, prefix, 10) == 0U);
  BOOST_TEST(qwen3_document_room(kLayout, prefix, 17) == 7U);
}

BOOST_AUTO_TEST_CASE(a_question_that_is_too_long_is_cut_before_its_label) {
  const Ids whole{20, 21, 22, 23, 8, 9};
  const Ids question{20, 21, 22, 23};
  const auto prefix = qwen3_prefix(kLayout, whole, question, 10);
  BOOST_TEST(prefix.ids == (Ids{1, 2, 3, 20, 21, 22, 8, 9}), boost::test_tools::per_element());
  BOOST_TEST(qwen3_prefix(kLayout, whole, question, 7).ids == (Ids{1, 2, 3, 8, 9}),
             boost::test_tools::per_element());
  BOOST_CHECK_THROW((void)qwen3_prefix(kLayout, whole, question, 6), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(the_end_always_stays) {
  BOOST_TEST(qwen3_body(kLayout, Ids{30, 31}).ids == (Ids{30, 31, 5, 6}), boost::test_tools::per_element());
  BOOST_TEST(qwen3_body(kLayout, {}).ids == (Ids{5, 6}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
