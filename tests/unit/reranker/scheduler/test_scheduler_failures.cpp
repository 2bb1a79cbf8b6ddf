// Memory that runs out, models that throw, logits that are none.
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <limits>

#include "tests/unit/reranker/scheduler/scheduler_fixture.hpp"

namespace qrerank::reranker::scheduler {
namespace {

BOOST_FIXTURE_TEST_SUITE(scheduler_failures, Fixture)

BOOST_AUTO_TEST_CASE(memory_running_out_halves_the_budget_and_retries_once) {
  model.on_logits = [](FakeModel::Items items) {
    std::size_t tokens = 0;
    for (const auto& item : items) {
      tokens += item.body->ids.size();
    }
    if (tokens > 50) {
      throw model::OutOfMemory{};
    }
  };
  std::atomic<int> released = 0;
  model.on_release = [&] { ++released; };
  start();
  const auto texts = encoded(10, 10);
  auto asked = ask(texts);
  const Result result = asked.answer.get();
  BOOST_REQUIRE(result.has_value());
  BOOST_TEST(result->logits == expected_logits(texts), boost::test_tools::per_element());
  auto hopeless = ask(encoded(1, 60));  // alone, and again alone
  TEST_FAILURE(hopeless.answer, out_of_memory);
  BOOST_TEST(released == 3);
  BOOST_TEST(scheduler->queue_length().texts == 0U);
  {
    const std::lock_guard lock(recorder.mutex);
    BOOST_TEST(recorder.budgets == (std::vector<std::size_t>{50, 25, 12}));
  }
  // It recovers after many good batches: 12, 24, 48, 96, 100.
  for (int i = 0; i < 64 * 4; ++i) {
    BOOST_REQUIRE(ask(encoded(1, 1)).answer.get().has_value());
  }
  BOOST_REQUIRE(ask(encoded(1, 1)).answer.get().has_value());
  const std::lock_guard lock(recorder.mutex);
  BOOST_TEST(recorder.batches.back().budget == 100U);
}

// What ran out was the small batch: half of the large one that memory would have allowed is no answer to it.
BOOST_AUTO_TEST_CASE(memory_running_out_in_a_batch_that_time_kept_small_halves_that_one) {
  settings = {.token_budget = 8000,
              .batch_time = std::chrono::nanoseconds(1),
              .max_queued_texts = 1000,
              .max_queued_tokens = 10000};
  model.on_logits = [](FakeModel::Items items) {
    if (items.size() > 1) {
      throw model::OutOfMemory{};
    }
  };
  start();
  BOOST_TEST(ask(encoded(2, 200)).answer.get().has_value());
  const std::lock_guard lock(recorder.mutex);
  BOOST_TEST(recorder.budgets == std::vector<std::size_t>{256}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_cancelled_request_is_not_retried) {
  Gate in_model;
  model.on_logits = [&, first = true](FakeModel::Items) mutable {
    if (std::exchange(first, false)) {
      in_model.pass();
      throw model::OutOfMemory{};
    }
  };
  start();
  auto asked = ask(encoded(1, 1));
  in_model.arrived();
  asked.ticket = {};
  in_model.open();
  TEST_FAILURE(asked.answer, cancelled);
  BOOST_TEST(ask(encoded(1, 1)).answer.get().has_value());
  const std::lock_guard lock(recorder.mutex);
  BOOST_TEST(recorder.queue.texts == 0U);
  BOOST_TEST(recorder.batches.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_model_that_throws_or_miscounts_is_an_internal_error_of_the_batch_only) {
  model.on_logits = [n = 0](FakeModel::Items) mutable {
    switch (n++) {
      case 0:
        throw std::runtime_error("broken kernel");
      case 1:
        throw 5;
      default:
        break;
    }
  };
  start();
  auto first = ask(encoded(2, 1));
  const Result result = first.answer.get();
  BOOST_REQUIRE(!result.has_value());
  BOOST_TEST((result.error().failure == ScoreFailure::internal));
  BOOST_TEST(result.error().message.find("broken kernel") != std::string::npos);
  auto second = ask(encoded(1, 1));
  TEST_FAILURE(second.answer, internal);
  model.change = [n = 0](std::vector<double>& logits) mutable {
    if (n++ == 0) {
      logits.pop_back();
    }
  };
  auto third = ask(encoded(2, 1));
  TEST_FAILURE(third.answer, internal);
  BOOST_TEST(ask(encoded(1, 1)).answer.get().has_value());
}

BOOST_AUTO_TEST_CASE(a_logit_that_is_not_finite_fails_its_own_request_only) {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity(),
                           -std::numeric_limits<double>::infinity()}) {
    Fixture fixture;
    fixture.model.change = [bad](std::vector<double>& logits) {
      if (logits.size() == 3) {
        logits[0] = bad;  // the longest text: the first request's
      }
    };
    fixture.start_gated();
    auto blocker = fixture.ask(encoded(1, 1));
    fixture.gate.arrived();
    std::mutex mutex;
    std::vector<std::size_t> tapped;
    auto poisoned = fixture.ask(encoded(1, 5), kNever, [&](auto texts, auto) {
      const std::lock_guard lock(mutex);
      tapped.insert(tapped.end(), texts.begin(), texts.end());
    });
    auto healthy = fixture.ask(encoded(2, 1));
    fixture.gate.open();
    TEST_FAILURE(poisoned.answer, internal);
    BOOST_TEST(healthy.answer.get().has_value());
    BOOST_TEST(tapped.empty());
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qrerank::reranker::scheduler
