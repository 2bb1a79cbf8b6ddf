#include "proxy/eval/analysis.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>

#include "tests/unit/proxy/eval/report_fixture.hpp"

namespace eval = qrerank::proxy::eval;
namespace tt = boost::test_tools;

namespace {

const double kSecond = 1 / std::log2(3.0);  // nDCG of one relevant document at rank 2

}  // namespace

BOOST_AUTO_TEST_SUITE(analysis)

BOOST_AUTO_TEST_CASE(gains) {
  const auto report = fixture::report(
      4, {fixture::trial({"m", 50, 1}, {1, 1, 2, 4}), fixture::trial({"m", 50, 0}, {2, 2, 2, 2})}, {});
  BOOST_TEST(report.vector_quality.ndcg.value == kSecond, tt::tolerance(1e-12));
  BOOST_TEST(report.vector_quality.mrr.value == 0.5);
  BOOST_TEST(report.vector_quality.success.value == 0);
  BOOST_TEST(report.vector_quality.recall.value == 1);
  const auto& row = report.rows[0];
  const double fourth = 1 / std::log2(5.0);
  BOOST_TEST(row.gain.value == (2 + kSecond + fourth) / 4 - kSecond, tt::tolerance(1e-12));
  BOOST_TEST(row.quality.ndcg.value == (2 + kSecond + fourth) / 4, tt::tolerance(1e-12));
  BOOST_TEST(row.quality.mrr.value == (1 + 1 + 0.5 + 0.25) / 4);
  BOOST_TEST(row.quality.success.value == 0.5);
  BOOST_TEST(row.better == 2u);
  BOOST_TEST(row.worse == 1u);
  BOOST_TEST(row.reachable_recall == 1);
  BOOST_TEST(row.candidates == 5);
  BOOST_TEST(row.first_moved == 0.5);
  BOOST_TEST(row.gain.interval.low < row.gain.value);
  BOOST_TEST(row.gain.interval.high > row.gain.value);
  // Of the 16 ways to turn signs 8 reach as far: those where the two equal gains have one sign, and the
  // loss (smaller than one gain) either.
  BOOST_TEST(row.p == 0.5, tt::tolerance(1e-12));
  BOOST_TEST(row.p_holm == 0.5, tt::tolerance(1e-12));  // weight 0 is no further setting
  BOOST_TEST(eval::settings_tried(report) == 1u);
  BOOST_TEST(report.rows[1].gain.value == 0);
  BOOST_TEST(report.rows[1].p == 1);
  BOOST_TEST(report.rows[1].kendall == 1);
}

BOOST_AUTO_TEST_CASE(what_the_candidates_hold) {
  const auto report = fixture::report(3, {fixture::trial({"m", 1, 1}, {1, 1, 1})}, {});
  BOOST_TEST(report.rows[0].reachable_recall == 0);  // vector order has it second
}

BOOST_AUTO_TEST_CASE(latencies) {
  const auto report =
      fixture::report(1, {fixture::trial({"m", 20, 1}, {1}), fixture::trial({"m", 50, 1}, {1})},
                      {fixture::timing("", 0, {1, 2, 3}), fixture::timing("m", 20, {10, 20, 30}),
                       fixture::timing("m", 50, {})});
  BOOST_TEST(report.vector_latency.value().p50_ms == 2);
  BOOST_TEST(report.latencies.size() == 1u);
  BOOST_TEST(report.latencies[0].whole.p95_ms == 29, tt::tolerance(1e-12));
  BOOST_TEST(eval::added_p95_ms(report, report.rows[0]).value() == 29 - 2.9, tt::tolerance(1e-12));
  BOOST_TEST(!eval::added_p95_ms(report, report.rows[1]).has_value());
}

BOOST_AUTO_TEST_CASE(without_judgements) {
  const auto report = fixture::report(2, {fixture::trial({"m", 50, 1}, {2, 1})}, {}, false);
  BOOST_TEST(report.rows[0].ndcg.empty());
  BOOST_TEST(report.rows[0].first_moved == 0.5);
  BOOST_TEST(report.rows[0].overlap.value == 1);
}

BOOST_AUTO_TEST_SUITE_END()
