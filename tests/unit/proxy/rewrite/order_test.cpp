#include "proxy/rewrite/order.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "proxy/rewrite/candidates.hpp"
#include "reranker/types.hpp"

#include "one_result.hpp"

using namespace qrerank::proxy::rewrite;
using qrerank::reranker::sigmoid;

namespace {

constexpr std::nullopt_t kNone = std::nullopt;

std::vector<std::size_t> hits(const std::vector<Ranked>& page) {
  std::vector<std::size_t> order;
  for (const Ranked& ranked : page) {
    order.push_back(ranked.hit);
  }
  return order;
}

void check_order(const std::vector<Judged>& candidates, const RankRule& rule,
                 const std::vector<std::size_t>& expected) {
  const auto order = hits(rank(candidates, rule));
  BOOST_TEST(order == expected, boost::test_tools::per_element());
}

double number(const ScoreText& text) {
  return std::stod(std::string(text.view()));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(order_suite)

BOOST_AUTO_TEST_CASE(scores_are_printed_shortest_and_valid) {
  const std::vector<std::pair<double, std::string>> cases = {
      {1.0, "1.0"},
      {0.0, "0.0"},
      {0.5, "0.5"},
      {0.9999999999999, "0.9999999999999"},
      {1e-7, "1e-07"},
      {5e-324, "5e-324"},
      {0.1 + 0.2, "0.30000000000000004"},
      {-12.0, "-12.0"},
      {1e300, "1e+300"},
      {-1.7976931348623157e308, "-1.7976931348623157e+308"},
      {12.345, "12.345"},
  };
  for (const auto& [value, text] : cases) {
    BOOST_TEST(ScoreText(value).view() == text);
  }
  BOOST_TEST(ScoreText().empty());
  BOOST_CHECK_THROW(ScoreText{std::nan("")}, std::invalid_argument);
  BOOST_CHECK_THROW(ScoreText{std::numeric_limits<double>::infinity()}, std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(at_weight_one_the_probability_is_the_score) {
  const std::vector<Judged> candidates = {{0.9, -1.0}, {0.8, 30.0}, {0.7, 31.0}, {0.6, -1.0}};
  const auto page = rank(candidates, {});
  BOOST_TEST(hits(page) == (std::vector<std::size_t>{2, 1, 0, 3}), boost::test_tools::per_element());
  BOOST_TEST(page[0].score.view() == "0.9999999999999656");
  BOOST_TEST(page[0].score.view() == page[0].rerank_score.view());
  BOOST_TEST(number(page[2].score) == sigmoid(-1.0));
}

BOOST_AUTO_TEST_CASE(equal_as_printed_keeps_vector_order) {
  check_order({{0.9, 40.0}, {0.8, 50.0}, {0.7, 45.0}}, {}, {0, 1, 2});  // all print 1.0
  check_order({{0.9, -800.0}, {0.8, -750.0}}, {}, {0, 1});              // both print 0.0
}

BOOST_AUTO_TEST_CASE(unscored_follow_in_vector_order_then_those_beyond) {
  const std::vector<Judged> candidates = {{0.9, kNone}, {0.8, 1.0},   {0.7, kNone},
                                          {0.6, 2.0},   {0.5, kNone}, {0.4, kNone}};
  for (const double weight : {1.0, 0.5, 0.0}) {
    const auto page = rank(candidates, {.weight = weight, .top_k = 4});
    std::vector<std::size_t> expected = {3, 1, 0, 2, 4, 5};
    if (weight < 1) {
      expected = {1, 3, 0, 2, 4, 5};  // 0.5: the two z-scores cancel, so vector order decides
    }
    BOOST_TEST(hits(page) == expected, boost::test_tools::per_element());
    BOOST_TEST(page[2].score.empty());
    BOOST_TEST(page[2].rerank_score.empty());
  }
}

BOOST_AUTO_TEST_CASE(a_mixed_score_is_the_sigmoid_of_the_weighted_z_scores) {
  const std::vector<Judged> candidates = {{0.9, 0.0}, {0.6, 3.0}, {0.3, 6.0}, {0.0, -1.0}};
  const double w = 0.75;
  const auto page = rank(candidates, {.weight = w});
  const double logits[] = {0, 3, 6, -1};
  const double vectors[] = {0.9, 0.6, 0.3, 0.0};
  const double logit_deviation = std::sqrt((4.0 + 1.0 + 16.0 + 9.0) / 4.0);
  const double vector_deviation = std::sqrt((0.2025 + 0.0225 + 0.0225 + 0.2025) / 4.0);
  for (const Ranked& ranked : page) {
    const double z = w * (logits[ranked.hit] - 2.0) / logit_deviation +
                     (1 - w) * (vectors[ranked.hit] - 0.45) / vector_deviation;
    BOOST_TEST(number(ranked.score) == sigmoid(z), boost::test_tools::tolerance(1e-14));
    BOOST_TEST(number(ranked.rerank_score) == sigmoid(logits[ranked.hit]));
  }
  BOOST_TEST(hits(page) == (std::vector<std::size_t>{2, 1, 0, 3}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(z_scores_cover_the_scored_candidates_only) {
  // The outlier is not scored: with it the first two would be nearly equal by vector.
  const std::vector<Judged> with = {{0.9, 0.0}, {0.8, 1.0}, {-1000.0, kNone}};
  const std::vector<Judged> without = {{0.9, 0.0}, {0.8, 1.0}};
  const auto a = rank(with, {.weight = 0.3});
  const auto b = rank(without, {.weight = 0.3});
  BOOST_TEST(a[0].score.view() == b[0].score.view());
  BOOST_TEST(a[1].score.view() == b[1].score.view());
}

BOOST_AUTO_TEST_CASE(equal_values_have_z_zero) {
  // 0.1 three times has a mean that is not 0.1 in doubles.
  const auto page = rank(std::vector<Judged>{{0.1, 0.1}, {0.1, 0.1}, {0.1, 0.1}}, {.weight = 0.5});
  for (const Ranked& ranked : page) {
    BOOST_TEST(ranked.score.view() == "0.5");
  }
  BOOST_TEST(rank(std::vector<Judged>{{0.0, 0.0}, {0.0, 0.0}}, {.weight = 0.5}).at(1).score.view() == "0.5");
  BOOST_TEST(rank(std::vector<Judged>{{0.1, 7.0}}, {.weight = 0.5}).at(0).score.view() == "0.5");
}

BOOST_AUTO_TEST_CASE(smaller_is_better_is_read_from_the_order) {
  BOOST_TEST(!smaller_is_better(std::vector<Judged>{{0.9, kNone}, {0.5, kNone}}));
  BOOST_TEST(smaller_is_better(std::vector<Judged>{{0.5, kNone}, {0.9, kNone}}));
  BOOST_TEST(!smaller_is_better(std::vector<Judged>{{0.5, kNone}, {0.5, kNone}}));
  BOOST_TEST(!smaller_is_better(std::vector<Judged>{}));
  BOOST_TEST(!smaller_is_better(std::vector<Judged>{{0.5, kNone}}));
  BOOST_TEST(!smaller_is_better(std::vector<Judged>{{kNone, kNone}, {kNone, kNone}}));
  BOOST_TEST(smaller_is_better(std::vector<Judged>{{kNone, kNone}, {1.0, kNone}, {2.0, kNone}}));
  // MMR: not sorted, the first is the extreme.
  BOOST_TEST(!smaller_is_better(std::vector<Judged>{{0.9, kNone}, {0.2, kNone}, {0.7, kNone}}));
  BOOST_TEST(smaller_is_better(std::vector<Judged>{{0.1, kNone}, {0.9, kNone}, {0.4, kNone}}));
  // Neither: larger is better.
  BOOST_TEST(!smaller_is_better(std::vector<Judged>{{0.5, kNone}, {0.9, kNone}, {0.1, kNone}}));
}

BOOST_AUTO_TEST_CASE(distances_are_negated) {
  const std::vector<Judged> candidates = {{0.1, 0.0}, {0.5, 0.0}, {2.0, 0.0}};
  const auto page = rank(candidates, {.weight = 0.5});
  BOOST_TEST(hits(page) == (std::vector<std::size_t>{0, 1, 2}), boost::test_tools::per_element());
  BOOST_TEST(number(page[0].score) > number(page[2].score));
}

BOOST_AUTO_TEST_CASE(an_unknown_vector_score_counts_as_the_lowest) {
  const auto page = rank(std::vector<Judged>{{kNone, 0.0}, {0.9, 0.0}, {0.2, 0.0}}, {.weight = 0.5});
  BOOST_TEST(hits(page) == (std::vector<std::size_t>{1, 0, 2}), boost::test_tools::per_element());
  BOOST_TEST(page[1].score.view() == page[2].score.view());
  const auto far = rank(std::vector<Judged>{{0.1, 0.0}, {3.0, 0.0}, {kNone, 0.0}}, {.weight = 0.5});
  BOOST_TEST(hits(far) == (std::vector<std::size_t>{0, 1, 2}), boost::test_tools::per_element());
  BOOST_TEST(far[1].score.view() == far[2].score.view());
  const auto unknown = rank(std::vector<Judged>{{kNone, 0.0}, {kNone, 1.0}}, {.weight = 0.5});
  BOOST_TEST(hits(unknown) == (std::vector<std::size_t>{1, 0}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(at_weight_zero_the_scored_keep_vector_order) {
  check_order({{0.9, -5.0}, {0.8, 5.0}, {0.7, 0.0}}, {.weight = 0}, {0, 1, 2});
  check_order({{0.9, -5.0}, {0.2, 5.0}, {0.7, 0.0}}, {.weight = 0}, {0, 1, 2});  // MMR
  check_order({{0.9, kNone}, {0.8, 5.0}, {0.7, 0.0}}, {.weight = 0}, {1, 2, 0});
}

BOOST_AUTO_TEST_CASE(extreme_values_stay_finite) {
  const double huge = std::numeric_limits<double>::max();
  const auto page = rank(std::vector<Judged>{{huge, -huge}, {0.0, 0.0}, {-huge, huge}}, {.weight = 0.5});
  BOOST_TEST(page.size() == 3U);
  const double tiny = std::numeric_limits<double>::denorm_min();
  BOOST_TEST(rank(std::vector<Judged>{{tiny, tiny}, {0.0, 0.0}}, {.weight = 0.5}).size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_threshold_is_met_before_offset_and_limit_and_drops_the_unscored) {
  const std::vector<Judged> candidates = {{0.9, 0.0}, {0.8, 2.0}, {0.7, kNone}, {0.6, 1.0}, {0.5, kNone}};
  check_order(candidates, {.threshold = 0.5, .top_k = 4}, {1, 3, 0});  // 0.5 itself stays
  check_order(candidates, {.threshold = 0.6, .top_k = 4}, {1, 3});
  check_order(candidates, {.threshold = 0.6, .top_k = 4, .offset = 1}, {3});
  check_order(candidates, {.threshold = 1.5, .top_k = 4}, {});
  check_order(candidates, {.threshold = -1.0, .top_k = 4}, {1, 3, 0});
}

BOOST_AUTO_TEST_CASE(offset_and_limit_cut_the_new_order) {
  const std::vector<Judged> candidates = {{0.9, 0.0}, {0.8, 2.0}, {0.7, kNone}, {0.6, 1.0}, {0.5, kNone}};
  check_order(candidates, {.top_k = 4, .offset = 0, .limit = 2}, {1, 3});
  check_order(candidates, {.top_k = 4, .offset = 2, .limit = 2}, {0, 2});
  check_order(candidates, {.top_k = 4, .offset = 4, .limit = 10}, {4});
  check_order(candidates, {.top_k = 4, .offset = 5, .limit = 10}, {});
  check_order(candidates, {.top_k = 4, .offset = ~0ULL, .limit = ~0ULL}, {});
  check_order(candidates, {.top_k = 4, .offset = 0, .limit = ~0ULL}, {1, 3, 0, 2, 4});
  BOOST_TEST(hits(vector_page(5, 1, 2)) == (std::vector<std::size_t>{1, 2}),
             boost::test_tools::per_element());
  BOOST_TEST(vector_page(5, ~0ULL, ~0ULL).empty());
  BOOST_TEST(vector_page(5, 3, ~0ULL).size() == 2U);
}

BOOST_AUTO_TEST_CASE(bugs_of_the_caller_throw) {
  BOOST_CHECK_THROW(rank(std::vector<Judged>{{0.9, std::nan("")}}, {}), std::invalid_argument);
  BOOST_CHECK_THROW(rank(std::vector<Judged>{{0.9, 1.0}}, {.top_k = 0}), std::invalid_argument);
  BOOST_CHECK_THROW(rank(std::vector<Judged>{{0.9, 1.0}}, {.weight = 1.1}), std::invalid_argument);
  BOOST_CHECK_THROW(rank(std::vector<Judged>{{0.9, 1.0}}, {.weight = std::nan("")}), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(logits_meet_their_candidates) {
  const auto fields = TextFields::parse(std::vector<std::string>{"t"}, true).value();
  const auto answer = extract_one(
      R"({"result":[{"id":1,"score":0.9},{"id":2,"score":0.8,"payload":{"t":"x"}},{"id":3,"score":null,"payload":{"t":"y"}},{"id":4,"score":0.1,"payload":{"t":"z"}}]})",
      HitLayout::list, fields, 3);
  BOOST_REQUIRE(answer.has_value());
  const CandidateSet& set = answer->sets.at(0);
  BOOST_TEST(scorable(set, 3) == (std::vector<std::size_t>{1, 2}), boost::test_tools::per_element());
  const auto judged = judge(set, 3, std::vector<double>{1.5, -1.5});
  BOOST_TEST(!judged[0].logit.has_value());
  BOOST_TEST(judged[1].logit.value() == 1.5);
  BOOST_TEST(judged[2].logit.value() == -1.5);
  BOOST_TEST(!judged[2].vector_score.has_value());
  BOOST_TEST(!judged[3].logit.has_value());
  BOOST_CHECK_THROW(judge(set, 3, std::vector<double>{1.5}), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(the_rule_of_a_plan) {
  SearchPlan plan;
  plan.limit = 3;
  plan.offset = 2;
  plan.top_k = 77;
  BOOST_TEST(RankRule::of(plan).weight == 1.0);
  BOOST_TEST(!RankRule::of(plan).threshold.has_value());
  plan.options.weight = 0.25;
  plan.options.score_threshold = 0.5;
  const RankRule rule = RankRule::of(plan);
  BOOST_TEST(rule.weight == 0.25);
  BOOST_TEST(rule.threshold.value() == 0.5);
  BOOST_TEST(rule.top_k == 77U);
  BOOST_TEST(rule.offset == 2U);
  BOOST_TEST(rule.limit == 3U);
}

BOOST_AUTO_TEST_SUITE_END()
