#include <boost/test/unit_test.hpp>
#include <numeric>
#include <random>

#include "reranker/model/packing.hpp"

using qrerank::reranker::model::cut_into_pieces;
using Pieces = std::vector<std::vector<std::size_t>>;

BOOST_AUTO_TEST_SUITE(packing)

BOOST_AUTO_TEST_CASE(each_to_the_piece_with_the_fewest_tokens) {
  struct Row {
    std::vector<std::size_t> lengths;
    Pieces expected;
  };
  for (const auto& row :
       {Row{{}, {}}, Row{{5}, {{0}}}, Row{{3, 7, 3}, {{1}, {0, 2}}}, Row{{10, 10}, {{0}, {1}}},
        Row{{1, 50, 2}, {{1}, {2, 0}}}, Row{{5, 5, 5, 5}, {{0, 2}, {1, 3}}}, Row{{4, 4, 4}, {{0, 2}, {1}}}}) {
    BOOST_CHECK(cut_into_pieces(row.lengths, 10) == row.expected);
  }
}

BOOST_AUTO_TEST_CASE(every_sequence_once_and_no_piece_far_over_the_limit) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    std::vector<std::size_t> lengths(random() % 60);
    for (auto& length : lengths) length = 1 + random() % 512;
    std::vector<int> seen(lengths.size());
    for (const auto& piece : cut_into_pieces(lengths, 512)) {
      std::size_t tokens = 0;
      for (const auto index : piece) {
        ++seen[index];
        tokens += lengths[index];
      }
      BOOST_REQUIRE(!piece.empty());
      BOOST_REQUIRE(tokens <= 640);
    }
    for (const int count : seen) BOOST_REQUIRE(count == 1);
  }
}

// Two threads that take them in turn end at about the same time.
BOOST_AUTO_TEST_CASE(pieces_of_a_small_batch_are_alike) {
  const std::vector<std::size_t> lengths{250, 240, 230, 220, 210, 200, 150, 120, 90, 60, 40, 30};
  std::vector<std::size_t> tokens;
  for (const auto& piece : cut_into_pieces(lengths, 460)) {
    auto& its = tokens.emplace_back();
    for (const auto index : piece) its += lengths[index];
  }
  BOOST_REQUIRE(tokens.size() == 4U);
  BOOST_TEST(tokens.front() - tokens.back() < 40U);
}

BOOST_AUTO_TEST_SUITE_END()
