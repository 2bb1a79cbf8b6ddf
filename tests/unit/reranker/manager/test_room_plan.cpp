#include <boost/test/unit_test.hpp>
#include <limits>

#include "reranker/manager/room_plan.hpp"

namespace qrerank::reranker::manager {
namespace {

using State = Holder::State;
using Verdict = RoomPlan::Verdict;
using std::chrono::seconds;

constexpr std::uint64_t kMiB = 1u << 20;

Holder on_cpu(std::size_t model, std::uint64_t mebibytes, State state, int used) {
  return {model, {{"cpu", mebibytes * kMiB}}, state, Clock::time_point(seconds(used))};
}

// In MiB.
RoomPlan plan(std::uint64_t need, std::uint64_t limit, const std::vector<Holder>& holders) {
  return plan_room({{"cpu", need * kMiB}}, holders, [&](const std::string&) { return limit * kMiB; });
}

BOOST_AUTO_TEST_SUITE(room_plan)

BOOST_AUTO_TEST_CASE(table) {
  struct Row {
    const char* what;
    std::uint64_t need, limit;
    std::vector<Holder> holders;
    Verdict verdict;
    std::vector<std::size_t> unload;
  };
  const std::vector<Row> rows = {
      {"nothing is there", 10, 10, {}, Verdict::fits, {}},
      {"larger than all", 11, 10, {}, Verdict::never, {}},
      {"larger than all, whoever is there", 11, 10, {on_cpu(1, 5, State::idle, 1)}, Verdict::never, {}},
      {"beside a busy one", 4, 10, {on_cpu(1, 6, State::busy, 1)}, Verdict::fits, {}},
      {"the idle one goes", 5, 10, {on_cpu(1, 6, State::idle, 1)}, Verdict::unload, {1}},
      {"the busy one stays", 5, 10, {on_cpu(1, 6, State::busy, 1)}, Verdict::wait, {}},
      {"a loading one stays", 5, 10, {on_cpu(1, 6, State::loading, 1)}, Verdict::wait, {}},
      {"one leaves already",
       5,
       10,
       {on_cpu(1, 6, State::leaving, 1), on_cpu(2, 4, State::idle, 2)},
       Verdict::wait,
       {}},
      {"one leaves, and one more must go",
       9,
       10,
       {on_cpu(1, 5, State::leaving, 1), on_cpu(2, 5, State::idle, 2)},
       Verdict::unload,
       {2}},
      {"the least recently used one",
       3,
       10,
       {on_cpu(1, 3, State::idle, 30), on_cpu(2, 3, State::idle, 10), on_cpu(3, 3, State::idle, 20)},
       Verdict::unload,
       {2}},
      {"as many as it takes, in order",
       6,
       10,
       {on_cpu(1, 3, State::idle, 30), on_cpu(2, 3, State::idle, 10), on_cpu(3, 3, State::idle, 20)},
       Verdict::unload,
       {2, 3}},
      {"nobody goes in vain",
       8,
       10,
       {on_cpu(1, 3, State::idle, 1), on_cpu(2, 6, State::busy, 2)},
       Verdict::wait,
       {}},
      {"the limit has shrunk below what is held",
       2,
       5,
       {on_cpu(1, 3, State::idle, 1), on_cpu(2, 4, State::idle, 2)},
       Verdict::unload,
       {1, 2}},
      {"too large while somebody moves", 11, 10, {on_cpu(1, 5, State::leaving, 1)}, Verdict::wait, {}},
  };
  for (const Row& row : rows) {
    BOOST_TEST_CONTEXT(row.what) {
      const RoomPlan its = plan(row.need, row.limit, row.holders);
      BOOST_TEST((its.verdict == row.verdict));
      BOOST_TEST(its.unload == row.unload, boost::test_tools::per_element());
      BOOST_TEST(its.why.empty() == (row.verdict == Verdict::fits));
    }
  }
}

BOOST_AUTO_TEST_CASE(says_numbers) {
  BOOST_TEST(plan(11, 10, {on_cpu(1, 5, State::idle, 1)}).why ==
             "11.0 MiB needed on cpu, where 5.0 MiB of 10.0 MiB are taken by other models");
}

BOOST_AUTO_TEST_CASE(each_device_counts_by_itself) {
  const Needs both = {{"cuda:0", 5}, {"cuda:1", 5}};
  const std::vector<Holder> holders = {
      {1, {{"cuda:0", 6}}, State::idle, Clock::time_point(seconds(1))},
      {2, {{"cuda:1", 6}}, State::idle, Clock::time_point(seconds(2))},
      {3, {{"cuda:0", 2}, {"cuda:1", 2}}, State::idle, Clock::time_point(seconds(3))},
      {4, {{"cpu", 1000}}, State::idle, Clock::time_point(seconds(0))},
  };
  const auto ten = [](const std::string&) { return std::uint64_t{10}; };
  const RoomPlan two = plan_room(both, holders, ten);
  BOOST_TEST((two.verdict == Verdict::unload));
  BOOST_TEST(two.unload == (std::vector<std::size_t>{1, 2}), boost::test_tools::per_element());
  // A replica that fits nowhere decides for all.
  const auto uneven = [](const std::string& device) { return std::uint64_t{device == "cuda:1" ? 4U : 100U}; };
  BOOST_TEST((plan_room(both, holders, uneven).verdict == Verdict::never));
  // Two replicas on one device add up.
  BOOST_TEST((plan_room({{"cpu", 6}, {"cpu", 6}}, {}, ten).verdict == Verdict::never));
  BOOST_TEST((plan_room({{"cpu", 5}, {"cpu", 5}}, {}, ten).verdict == Verdict::fits));
}

BOOST_AUTO_TEST_CASE(one_that_goes_for_one_device_counts_for_the_other) {
  const std::vector<Holder> holders = {
      {1, {{"cuda:1", 6}}, State::idle, Clock::time_point(seconds(1))},
      {2, {{"cuda:0", 8}, {"cuda:1", 2}}, State::idle, Clock::time_point(seconds(9))},
  };
  const RoomPlan its = plan_room({{"cuda:0", 5}, {"cuda:1", 4}}, holders,
                                 [](const std::string&) { return std::uint64_t{10}; });
  BOOST_TEST((its.verdict == Verdict::unload));
  BOOST_TEST(its.unload == (std::vector<std::size_t>{2}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(no_limit_is_no_limit) {
  const RoomPlan its =
      plan_room({{"cpu", kMiB}}, std::vector<Holder>{on_cpu(1, 5, State::busy, 1)},
                [](const std::string&) { return std::numeric_limits<std::uint64_t>::max(); });
  BOOST_TEST((its.verdict == Verdict::fits));
}

BOOST_AUTO_TEST_CASE(tokens_that_memory_allows) {
  BOOST_TEST(affordable_tokens(1000 * kMiB, 0, 1) == std::numeric_limits<std::size_t>::max());
  BOOST_TEST(affordable_tokens(1000 * kMiB, kMiB, 1) == 500U);
  BOOST_TEST(affordable_tokens(1000 * kMiB, kMiB, 4) == 125U);
  BOOST_TEST(affordable_tokens(10, kMiB, 1) == 64U);
  BOOST_TEST(affordable_tokens(0, kMiB, 0) == 64U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qrerank::reranker::manager
