// Numbers of NumPy 2.4 and SciPy 1.17, written down: exact where theirs are, else within their own noise.
#include "proxy/eval/statistics.hpp"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <vector>

namespace eval = qrerank::proxy::eval;
namespace tt = boost::test_tools;

namespace {

// 60 values that look random.
std::vector<double> sixty(double less) {
  std::vector<double> values;
  for (int at = 0; at < 60; ++at) values.push_back((at * 37 % 101) / 100.0 - less);
  return values;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(statistics)

BOOST_AUTO_TEST_CASE(means_and_percentiles) {
  BOOST_TEST(eval::mean_of({}) == 0);
  BOOST_TEST(eval::percentile({}, 0.5) == 0);
  const std::vector<double> values{50, 15, 40, 20, 35};
  BOOST_TEST(eval::mean_of(values) == 32);
  const std::pair<double, double> table[] = {{0, 15},    {0.05, 16},   {0.5, 35},
                                             {0.95, 48}, {0.99, 49.6}, {1, 50}};
  for (const auto& [share, expected] : table)
    BOOST_TEST(eval::percentile(values, share) == expected, tt::tolerance(1e-12));
  BOOST_TEST(eval::ascending(std::vector<double>{2, 1, 2, 0}) == (std::vector<std::size_t>{3, 1, 0, 2}),
             tt::per_element());
}

BOOST_AUTO_TEST_CASE(bootstrap_as_scipy) {
  // scipy.stats.bootstrap(…, method="percentile", n_resamples=200000): 0.42117 to 0.56883
  for (const std::uint64_t seed : {1, 2, 3}) {
    const auto interval = eval::bootstrap_mean(sixty(0), seed);
    BOOST_TEST(std::abs(interval.low - 0.42117) < 0.004);
    BOOST_TEST(std::abs(interval.high - 0.56883) < 0.004);
  }
  const auto one = eval::bootstrap_mean(sixty(0), 7);
  const auto again = eval::bootstrap_mean(sixty(0), 7);
  BOOST_TEST(one.low == again.low);
  BOOST_TEST(one.high == again.high);
  const auto constant = eval::bootstrap_mean(std::vector<double>{0.25, 0.25}, 1);
  BOOST_TEST(constant.low == 0.25);
  BOOST_TEST(constant.high == 0.25);
}

BOOST_AUTO_TEST_CASE(sign_flips_as_scipy) {
  // scipy.stats.permutation_test(…, permutation_type="samples"), exact for the short ones
  const std::pair<std::vector<double>, double> table[] = {
      {{0.1, -0.05, 0.2, 0.0, 0.15, 0.3, -0.1, 0.07}, 0.140625},
      {{0, 0}, 1},
      {{1, 1, 1}, 0.25},
      {{0.5, -0.5, 0.25}, 1},
      {{}, 1}};
  for (const auto& [differences, expected] : table)
    BOOST_TEST(eval::sign_flip_p(differences, 1) == expected, tt::tolerance(1e-12));
  // 0.05314 of 400000 ways
  for (const std::uint64_t seed : {1, 2, 3})
    BOOST_TEST(std::abs(eval::sign_flip_p(sixty(0.42), seed) - 0.05314) < 0.007);
  BOOST_TEST(eval::sign_flip_p(sixty(0.42), 9) == eval::sign_flip_p(sixty(0.42), 9));
  BOOST_TEST(eval::sign_flip_p(std::vector<double>(100, 0.5), 1) == 1.0 / (eval::kResamples + 1.0),
             tt::tolerance(1e-12));
}

BOOST_AUTO_TEST_CASE(holm_by_hand) {
  BOOST_TEST(eval::holm({}).empty());
  const auto corrected = eval::holm(std::vector<double>{0.01, 0.04, 0.03, 0.005});
  const double expected[] = {0.03, 0.06, 0.06, 0.02};
  for (std::size_t at = 0; at < 4; ++at) BOOST_TEST(corrected[at] == expected[at], tt::tolerance(1e-12));
  BOOST_TEST(eval::holm(std::vector<double>{0.9, 0.8})[0] == 1);
}

BOOST_AUTO_TEST_SUITE_END()
