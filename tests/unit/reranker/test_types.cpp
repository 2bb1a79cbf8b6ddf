#include <boost/test/unit_test.hpp>
#include <cmath>
#include <limits>

#include "reranker/types.hpp"

namespace qrerank::reranker {
namespace {

BOOST_AUTO_TEST_CASE(sigmoid_is_exact_where_it_is_known_and_never_overflows) {
  BOOST_TEST(sigmoid(0) == 0.5);
  BOOST_TEST(sigmoid(1e4) == 1.0);
  BOOST_TEST(sigmoid(-1e4) == 0.0);
  BOOST_TEST(sigmoid(std::numeric_limits<double>::max()) == 1.0);
  BOOST_TEST(sigmoid(std::numeric_limits<double>::lowest()) == 0.0);
  // 1/(1+e^-x) in 40-digit decimal arithmetic.
  BOOST_TEST(sigmoid(9.085) == 0.99988665942647256, boost::test_tools::tolerance(1e-15));
  BOOST_TEST(sigmoid(-3.934) == 0.019189801447963649, boost::test_tools::tolerance(1e-14));
  // float32 would print 1 for both; double tells them apart.
  BOOST_TEST(sigmoid(20) < sigmoid(21));
  BOOST_TEST(sigmoid(-700) > 0.0);
}

BOOST_AUTO_TEST_CASE(logit_of_undoes_sigmoid_and_is_always_finite) {
  for (const double x : {-30.0, -3.5, -0.1, 0.0, 0.1, 3.5, 30.0}) {
    BOOST_TEST(logit_of(sigmoid(x)) == x, boost::test_tools::tolerance(x > 20 ? 0.01 : 1e-10));
  }
  for (const double p : {0.0, 1.0, -1e4, 1e4}) {
    BOOST_TEST(std::isfinite(logit_of(p)), p);
  }
  BOOST_TEST(logit_of(1.0) == logit_of(1e4));
  BOOST_TEST(logit_of(0.0) == logit_of(-1e4));
  BOOST_TEST(logit_of(1.0) > 34);
  BOOST_TEST(logit_of(0.0) < -34);
}

BOOST_AUTO_TEST_CASE(failures_have_names) {
  BOOST_TEST(to_string(ScoreFailure::overloaded) == "overloaded");
  BOOST_TEST(to_string(ScoreFailure::timeout) == "timeout");
  BOOST_TEST(to_string(ScoreFailure::model_unavailable) == "model_unavailable");
  BOOST_TEST(to_string(ScoreFailure::out_of_memory) == "out_of_memory");
  BOOST_TEST(to_string(ScoreFailure::backend_error) == "backend_error");
  BOOST_TEST(to_string(ScoreFailure::cancelled) == "cancelled");
  BOOST_TEST(to_string(ScoreFailure::internal) == "internal");
}

}  // namespace
}  // namespace qrerank::reranker
