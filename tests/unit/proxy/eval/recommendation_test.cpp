#include "proxy/eval/recommendation.hpp"

#include <boost/test/unit_test.hpp>

#include "tests/unit/proxy/eval/report_fixture.hpp"

namespace eval = qrerank::proxy::eval;
using fixture::all;
using fixture::timing;
using fixture::trial;

namespace {

constexpr std::size_t kQueries = 60;

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// 20 candidates find all but three of what 50 find, at a fifth of the time.
eval::Report helped() {
  auto most = all(1, kQueries);
  most[0] = most[1] = most[2] = 2;
  return fixture::report(kQueries,
                         {trial({"m", 20, 1}, most), trial({"m", 50, 0.5}, all(2, kQueries)),
                          trial({"m", 50, 1}, all(1, kQueries))},
                         {timing("", 0, {5}), timing("m", 20, {55}), timing("m", 50, {255})});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(recommendation)

BOOST_AUTO_TEST_CASE(nearly_the_best_for_less) {
  const auto report = helped();
  const auto advice = eval::recommend(report, std::nullopt);
  BOOST_TEST((advice.verdict == eval::Verdict::rerank));
  BOOST_TEST(advice.row == &report.rows[0]);
  // 1 / log2(3) = 0.6309; 57 of 60 rise to 1: +0.3506
  BOOST_TEST(advice.headline == "rerank 20 with weight 1 (m): +55.6 % nDCG@10, +50 ms p95");
  BOOST_TEST(has(advice.details, "nDCG@10 0.6309 → 0.9815, a difference of +0.3506"), advice.details);
  BOOST_TEST(has(advice.details, "57 of 60 queries better, 0 worse"), advice.details);
  BOOST_TEST(has(advice.details, "chosen on the queries that it is measured on"), advice.details);
  BOOST_TEST(
      advice.settings ==
      "collections:\n  \"docs\":\n    rerank: always\n    reranker: m\n    top_k: 20\n    weight: 1\n");
}

BOOST_AUTO_TEST_CASE(under_a_limit_of_time) {
  const auto report = helped();
  BOOST_TEST(eval::recommend(report, 100).row == &report.rows[0]);
  const auto nothing = eval::recommend(report, 10);
  BOOST_TEST((nothing.verdict == eval::Verdict::leave));
  BOOST_TEST(nothing.row == nullptr);
  BOOST_TEST(nothing.headline ==
             "do not rerank this collection: no setting adds at most 10 ms to the 95th percentile");
}

BOOST_AUTO_TEST_CASE(clearly_better_at_any_cost) {
  // Rank 4 to 2 against 4 to 1 would be less than nine tenths: here vector order has rank 2, so the
  // cheap setting gains half of what the dear one does.
  auto half = all(1, kQueries);
  for (std::size_t at = 0; at < kQueries / 2; ++at) half[at] = 2;
  const auto report =
      fixture::report(kQueries, {trial({"m", 20, 1}, half), trial({"m", 50, 1}, all(1, kQueries))},
                      {timing("", 0, {5}), timing("m", 20, {55}), timing("m", 50, {255})});
  BOOST_TEST(eval::recommend(report, std::nullopt).row == &report.rows[1]);
  BOOST_TEST(eval::recommend(report, 100).row == &report.rows[0]);
}

BOOST_AUTO_TEST_CASE(worse) {
  const auto report = fixture::report(
      kQueries, {trial({"m", 50, 0.5}, all(3, kQueries)), trial({"m", 50, 1}, all(4, kQueries))}, {});
  const auto advice = eval::recommend(report, std::nullopt);
  BOOST_TEST((advice.verdict == eval::Verdict::leave));
  BOOST_TEST(advice.headline ==
             "do not rerank this collection: none of 2 settings is better than vector order");
  BOOST_TEST(advice.details.starts_with("The best one is m, top_k 50, weight 0.5: nDCG@10 0.6309 → 0.5000"),
             advice.details);
  BOOST_TEST(advice.settings.empty());
  BOOST_TEST(!has(advice.details, "are few"), advice.details);
  const auto few = fixture::report(4, {trial({"m", 50, 1}, all(3, 4))}, {});
  BOOST_TEST(has(eval::recommend(few, std::nullopt).details, "4 judged queries are few"));
}

BOOST_AUTO_TEST_CASE(weight_0_is_no_way_to_rerank) {
  const auto report = fixture::report(
      kQueries, {trial({"m", 50, 0}, all(2, kQueries)), trial({"m", 50, 1}, all(3, kQueries))}, {});
  const auto advice = eval::recommend(report, std::nullopt);
  BOOST_TEST(advice.row == &report.rows[1]);
  BOOST_TEST(advice.headline.starts_with("do not rerank this collection: none of 1 setting is better"),
             advice.headline);
  const auto alone = fixture::report(kQueries, {trial({"m", 50, 0}, all(2, kQueries))}, {});
  BOOST_TEST(eval::recommend(alone, std::nullopt).row == nullptr);
}

BOOST_AUTO_TEST_CASE(could_be_chance) {
  const auto report = fixture::report(4, {trial({"m", 50, 1}, {1, 1, 2, 2})}, {});
  const auto advice = eval::recommend(report, std::nullopt);
  BOOST_TEST((advice.verdict == eval::Verdict::undecided));
  BOOST_TEST(advice.headline.starts_with(
                 "do not rerank this collection yet: the best setting (m, top_k 50, weight 1) "
                 "gains +29.2 %, which could be chance"),
             advice.headline);
  BOOST_TEST(has(advice.details, "4 judged queries do not tell"), advice.details);
}

BOOST_AUTO_TEST_CASE(nothing_found) {
  auto report = fixture::report(2, {trial({"m", 50, 1}, {2, 1})}, {});
  report.rows[0].reachable_recall = 0;
  const auto advice = eval::recommend(report, std::nullopt);
  BOOST_TEST((advice.verdict == eval::Verdict::undecided));
  BOOST_TEST(advice.row == nullptr);
  BOOST_TEST(advice.headline.starts_with("nothing can be told: no document that is judged relevant"),
             advice.headline);
  BOOST_TEST(has(advice.details, "--id-field"), advice.details);
}

BOOST_AUTO_TEST_CASE(nothing_judged) {
  const auto report = fixture::report(2, {trial({"m", 50, 1}, {2, 1})}, {}, false);
  const auto advice = eval::recommend(report, std::nullopt);
  BOOST_TEST((advice.verdict == eval::Verdict::unjudged));
  BOOST_TEST(
      has(advice.headline, "another hit first in 50 % of the queries and replaces 0.0 of the first 10"),
      advice.headline);
  BOOST_TEST(has(advice.details, "change most: q0, q1."), advice.details);
}

BOOST_AUTO_TEST_SUITE_END()
