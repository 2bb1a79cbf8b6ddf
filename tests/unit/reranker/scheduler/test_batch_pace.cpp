#include <boost/test/unit_test.hpp>
#include <limits>

#include "reranker/scheduler/batch_pace.hpp"

namespace qrerank::reranker::scheduler {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::size_t kLeast = BatchPace::kLeastTokens;

BOOST_AUTO_TEST_SUITE(batch_pace)

BOOST_AUTO_TEST_CASE(begins_with_the_least) {
  const BatchPace pace(seconds(1));
  BOOST_TEST(pace.limit(8192) == kLeast);
  BOOST_TEST(pace.limit(kLeast + 1) == kLeast);
  BOOST_TEST(pace.limit(64) == 64U);
}

BOOST_AUTO_TEST_CASE(without_a_time_only_the_budget_counts) {
  BatchPace pace{Clock::duration::zero()};
  BOOST_TEST(pace.limit(8192) == 8192U);
  pace.measured(10, hours(1));
  BOOST_TEST(pace.limit(8192) == 8192U);
}

BOOST_AUTO_TEST_CASE(a_batch_takes_as_long_as_it_should) {
  struct Row {
    Clock::duration batch_time;
    std::size_t tokens;
    Clock::duration took;
    std::size_t limit;  // of 8192
  };
  const Row rows[] = {
      {seconds(1), 256, milliseconds(128), 2000},    {milliseconds(500), 256, milliseconds(128), 1000},
      {seconds(10), 256, seconds(1), 2560},          {seconds(1), 256, milliseconds(1), 8192},  // by far
      {seconds(1), 256, seconds(60), kLeast},         // too slow for anything less
      {hours(24), 1 << 24, nanoseconds(1), 8192},     // tokens a day beyond any number
      {seconds(1), 256, Clock::duration(0), kLeast},  // too fast to be measured: as at the beginning
  };
  for (const Row& row : rows) {
    BatchPace pace(row.batch_time);
    pace.measured(row.tokens, row.took);
    BOOST_TEST(pace.limit(8192) == row.limit);
  }
}

BOOST_AUTO_TEST_CASE(it_follows_a_machine_that_became_slower_or_faster) {
  BatchPace pace(seconds(1));
  for (int i = 0; i < 10; ++i) {
    pace.measured(2000, seconds(1));
  }
  pace.measured(2000, seconds(4));  // one slow batch: between the two
  BOOST_TEST(pace.limit(8192) > 520U);
  BOOST_TEST(pace.limit(8192) < 2000U);
  for (int i = 0; i < 10; ++i) {
    pace.measured(600, seconds(1));
  }
  BOOST_TEST(pace.limit(8192) > 580U);
  BOOST_TEST(pace.limit(8192) < 620U);
  for (int i = 0; i < 4; ++i) {
    pace.measured(pace.limit(8192), milliseconds(pace.limit(8192)) / 4);
  }
  BOOST_TEST(pace.limit(8192) > 3500U);
}

BOOST_AUTO_TEST_CASE(small_batches_say_little_about_large_ones) {
  BatchPace pace(seconds(1));
  pace.measured(5000, seconds(1));
  pace.measured(5, milliseconds(20));  // 250 tokens a second
  BOOST_TEST(pace.limit(8192) > 4500U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qrerank::reranker::scheduler
