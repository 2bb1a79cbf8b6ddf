#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <limits>
#include <map>
#include <random>
#include <set>

#include "reranker/scheduler/batch_former.hpp"

namespace qrerank::reranker::scheduler {
namespace {

constexpr Clock::time_point kNow{std::chrono::seconds(1000)};

WaitingText text(std::uint64_t request, std::size_t tokens) {
  WaitingText waiting;
  waiting.request = request;
  waiting.tokens = tokens;
  return waiting;
}

using Places = std::vector<std::size_t>;

BOOST_AUTO_TEST_SUITE(batch_former)

BOOST_AUTO_TEST_CASE(table) {
  struct Row {
    const char* name;
    std::vector<WaitingText> waiting;
    std::size_t budget;
    Places chosen;
    std::size_t tokens;
  };
  const Row rows[] = {
      {"nothing waits", {}, 100, {}, 0},
      {"one departs at once", {text(1, 5)}, 100, {0}, 5},
      {"exactly full", {text(1, 60), text(1, 40)}, 100, {0, 1}, 100},
      {"one token too many", {text(1, 60), text(1, 41)}, 100, {0}, 60},
      {"over the budget goes alone", {text(1, 101), text(1, 1), text(2, 1)}, 100, {0}, 101},
      {"over the budget waits until it is the oldest", {text(1, 1), text(2, 101)}, 100, {0}, 1},
      {"longest first, equal ones as they came",
       {text(1, 10), text(1, 30), text(1, 10), text(1, 20)},
       100,
       {1, 3, 0, 2},
       70},
      {"shorter ones fill the gap", {text(1, 60), text(1, 60), text(1, 40)}, 100, {0, 2}, 100},
      {"a small request is not stuck behind a huge one",
       {text(1, 25), text(1, 25), text(1, 25), text(1, 25), text(1, 25), text(2, 10)},
       100,
       {0, 1, 2, 5},
       85},
      {"the oldest moves although many small ones wait",
       {text(1, 50), text(1, 50), text(2, 10), text(3, 10), text(4, 10), text(5, 10), text(6, 10)},
       100,
       {0, 2, 3, 4, 5, 6},
       100},
      {"equal requests are served in order of arrival",
       {text(1, 50), text(1, 50), text(2, 50), text(2, 50)},
       100,
       {0, 1},
       100},
      {"a budget of nothing still moves one", {text(1, 5), text(1, 4)}, 0, {0}, 5},
      {"no overflow", {text(1, 1), text(2, std::numeric_limits<std::size_t>::max())}, 100, {0}, 1},
      {"empty texts cost nothing", {text(1, 0), text(1, 0)}, 1, {0, 1}, 0},
  };
  for (const Row& row : rows) {
    const FormedBatch batch = form_batch(row.waiting, row.budget, kNow);
    BOOST_TEST(batch.chosen == row.chosen, boost::test_tools::per_element());
    BOOST_TEST(batch.tokens == row.tokens, row.name);
    BOOST_TEST(batch.dropped.empty(), row.name);
  }
}

BOOST_AUTO_TEST_CASE(cancelled_and_expired_ones_are_skipped) {
  std::vector<WaitingText> waiting = {text(1, 10), text(2, 10), text(3, 10), text(4, 10)};
  waiting[0].cancelled = true;
  waiting[1].deadline = kNow;  // its time has come
  waiting[2].deadline = kNow + Clock::duration(1);
  const FormedBatch batch = form_batch(waiting, 100, kNow);
  BOOST_TEST(batch.chosen == (Places{2, 3}));
  BOOST_TEST(batch.dropped == (Places{0, 1}));
  BOOST_TEST(batch.tokens == 20U);
  waiting[2].cancelled = waiting[3].cancelled = true;
  BOOST_TEST(form_batch(waiting, 100, kNow).chosen.empty());
}

BOOST_AUTO_TEST_CASE(a_prefix_counts_once) {
  const int a = 0;
  const int b = 0;
  std::vector<WaitingText> waiting = {text(1, 10), text(1, 10), text(2, 10), text(2, 10)};
  for (std::size_t i = 0; i < 4; ++i) {
    waiting[i].prefix = i < 2 ? &a : &b;
    waiting[i].prefix_tokens = 30;
  }
  BOOST_TEST(form_batch(waiting, 100, kNow).tokens == 100U);
  BOOST_TEST(form_batch(waiting, 100, kNow).chosen.size() == 4U);
  BOOST_TEST(form_batch(waiting, 99, kNow).chosen.size() == 3U);
  BOOST_TEST(form_batch(waiting, 89, kNow).chosen == (Places{0, 1}));
  for (auto& one : waiting) {
    one.prefix = &a;
  }
  BOOST_TEST(form_batch(waiting, 70, kNow).tokens == 70U);
  for (auto& one : waiting) {
    one.prefix = nullptr;
  }
  BOOST_TEST(form_batch(waiting, 70, kNow).tokens == 40U);
}

// Whatever waits: budgets hold, nobody is computed twice, the oldest moves, and all is served in the end.
BOOST_AUTO_TEST_CASE(random_queues_are_served_to_the_end) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<WaitingText> waiting;
    const std::size_t count = 1 + random() % 60;
    for (std::size_t i = 0; i < count; ++i) {
      waiting.push_back(text(random() % 6, random() % 150));
    }
    std::size_t batches = 0;
    while (!waiting.empty()) {
      const FormedBatch batch = form_batch(waiting, 100, kNow);
      BOOST_REQUIRE(!batch.chosen.empty());
      BOOST_REQUIRE(batch.tokens <= 100 || batch.chosen.size() == 1);
      std::set<std::size_t> chosen(batch.chosen.begin(), batch.chosen.end());
      BOOST_REQUIRE_EQUAL(chosen.size(), batch.chosen.size());
      const std::uint64_t oldest = waiting.front().request;
      BOOST_REQUIRE(std::ranges::any_of(chosen, [&](auto i) { return waiting[i].request == oldest; }));
      std::size_t tokens = 0;
      std::vector<WaitingText> rest;
      for (std::size_t i = 0; i < waiting.size(); ++i) {
        chosen.contains(i) ? void(tokens += waiting[i].tokens) : rest.push_back(waiting[i]);
      }
      BOOST_REQUIRE_EQUAL(tokens, batch.tokens);
      waiting.swap(rest);
      BOOST_REQUIRE(++batches <= count);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qrerank::reranker::scheduler
