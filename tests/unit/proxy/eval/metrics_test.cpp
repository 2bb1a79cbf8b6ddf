// Numbers of pytrec_eval-terrier 0.5.11 (trec_eval 9) and SciPy 1.17, written down.
#include "proxy/eval/metrics.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

namespace eval = qrerank::proxy::eval;

namespace {

boost::test_tools::predicate_result near(double one, double other) {
  boost::test_tools::predicate_result result(std::abs(one - other) < 1e-12);
  result.message() << one << " is not " << other;
  return result;
}

eval::Ranking places(const std::vector<int>& numbers) {
  eval::Ranking ranking;
  for (const int number : numbers) ranking.push_back("d" + std::to_string(number));
  return ranking;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(metrics)

BOOST_AUTO_TEST_CASE(as_trec_eval) {
  struct Case {
    const char* name;
    eval::Ranking ranking;
    eval::Judgements judged;
    eval::Quality expected;
  };
  eval::Judgements fifteen;
  for (int at = 0; at < 15; ++at) fifteen["d" + std::to_string(at)] = at % 4;
  const eval::Ranking ten_wrong{"x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9"};
  auto eleventh = ten_wrong;
  eleventh.emplace_back("d1");
  eval::Ranking second{"x", "d1"};
  second.insert(second.end(), ten_wrong.begin(), ten_wrong.end());
  const Case table[] = {
      {"graded",
       {"d3", "d1", "x", "d2", "y"},
       {{"d1", 4}, {"d2", 1}, {"d3", 2}, {"d4", 3}, {"z", 0}},
       {0.6765096874828197, 1, 0.75, 1}},
      {"none found", {"x", "y"}, {{"d1", 1}}, {0, 0, 0, 0}},
      {"beyond the tenth", eleventh, {{"d1", 1}, {"d2", 2}}, {0, 0, 0, 0}},
      {"the second", second, {{"d1", 1}}, {0.6309297535714575, 0.5, 1, 0}},
      {"many, graded 0 to 3",
       places({0, 5, 12, 3, 99, 7, 1, 30, 31, 2, 4, 6}),
       fifteen,
       {0.37847740510584754, 0.5, 0.45454545454545453, 0}},
      {"a negative judgement", {"n", "d1"}, {{"n", -1}, {"d1", 3}}, {0.6309297535714574, 0.5, 1, 0}},
      {"nothing relevant", {"n"}, {{"n", 0}}, {0, 0, 0, 0}},
      {"an empty answer", {}, {{"d1", 1}}, {0, 0, 0, 0}},
  };
  for (const auto& [name, ranking, judged, expected] : table) {
    BOOST_TEST_CONTEXT(name) {
      const auto quality = eval::quality_of(ranking, judged);
      BOOST_TEST(near(quality.ndcg, expected.ndcg));
      BOOST_TEST(near(quality.mrr, expected.mrr));
      BOOST_TEST(near(quality.recall, expected.recall));
      BOOST_TEST(near(quality.success, expected.success));
    }
  }
  BOOST_TEST(eval::recall_at(eleventh, {{"d1", 1}, {"d2", 2}}, 11) == 0.5);
}

BOOST_AUTO_TEST_CASE(changes) {
  const auto same = eval::change_between(places({1, 2, 3}), places({1, 2, 3}));
  BOOST_TEST(same.overlap == 1);
  BOOST_TEST(same.kendall == 1);
  BOOST_TEST(!same.first_moved);
  const auto turned = eval::change_between(places({1, 2, 3}), places({3, 2, 1}));
  BOOST_TEST(turned.kendall == -1);
  BOOST_TEST(turned.first_moved);
  // scipy.stats.kendalltau([1, 2, 3, 4, 5], [3, 1, 2, 5, 4])
  BOOST_TEST(near(eval::change_between(places({2, 3, 1, 5, 4}), places({1, 2, 3, 4, 5})).kendall, 0.4));
  // Of the old first ten, 1 to 10, the new first ten keep eight.
  const auto swapped = eval::change_between(places({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}),
                                            places({1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 9, 10}));
  BOOST_TEST(near(swapped.overlap, 0.8));
  BOOST_TEST(!swapped.first_moved);
  const auto nothing = eval::change_between({}, {});
  BOOST_TEST(nothing.overlap == 1);
  BOOST_TEST(!nothing.first_moved);
}

BOOST_AUTO_TEST_SUITE_END()
