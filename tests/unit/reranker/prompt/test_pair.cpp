#define BOOST_TEST_MODULE reranker prompt
#include <array>
#include <boost/test/unit_test.hpp>

#include "reranker/prompt/pair.hpp"

using namespace qrerank::reranker;

namespace {

const tokenizer::PairTemplate kBert{
    .before = {{101, 0}}, .between = {{102, 0}}, .after = {{102, 1}}, .first_type = 0, .second_type = 1};

}  // namespace

BOOST_AUTO_TEST_CASE(the_document_gives_way_first) {
  struct Row {
    std::size_t query, max_length, expected_query, expected_document;
  };
  for (const auto& row : {Row{10, 512, 10, 499}, Row{0, 512, 0, 509}, Row{509, 512, 509, 0},
                          Row{510, 512, 509, 0}, Row{5000, 512, 509, 0}, Row{1, 3, 0, 0}, Row{1, 4, 1, 0}}) {
    const auto room = prompt::pair_room(kBert, row.query, row.max_length);
    BOOST_TEST(room.query == row.expected_query);
    BOOST_TEST(room.document == row.expected_document);
  }
  BOOST_CHECK_THROW((void)prompt::pair_room(kBert, 1, 2), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(tokens_and_types_follow_the_template) {
  const std::array query{7, 8};
  const std::array document{9};
  const auto pair = prompt::join_pair(kBert, query, document, true);
  BOOST_TEST(pair.ids == (std::vector<std::int32_t>{101, 7, 8, 102, 9, 102}),
             boost::test_tools::per_element());
  BOOST_TEST(pair.type_ids == (std::vector<std::int32_t>{0, 0, 0, 0, 1, 1}),
             boost::test_tools::per_element());
  const auto untyped = prompt::join_pair(kBert, query, {}, false);
  BOOST_TEST(untyped.ids == (std::vector<std::int32_t>{101, 7, 8, 102, 102}),
             boost::test_tools::per_element());
  BOOST_TEST(untyped.type_ids.empty());
}

BOOST_AUTO_TEST_CASE(a_text_by_itself_stands_between_the_templates_ends) {
  BOOST_TEST(prompt::single_room(kBert, 8) == 6U);
  BOOST_CHECK_THROW((void)prompt::single_room(kBert, 1), std::invalid_argument);
  const std::array text{7, 8};
  const auto single = prompt::single(kBert, text, true);
  BOOST_TEST(single.ids == (std::vector<std::int32_t>{101, 7, 8, 102}), boost::test_tools::per_element());
  BOOST_TEST(single.type_ids == (std::vector<std::int32_t>{0, 0, 0, 0}), boost::test_tools::per_element());
  BOOST_TEST(prompt::single(kBert, {}, false).type_ids.empty());
}
