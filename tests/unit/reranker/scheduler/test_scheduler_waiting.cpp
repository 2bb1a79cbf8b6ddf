// The door, deadlines, cancelling and the end.
#include <atomic>
#include <boost/test/unit_test.hpp>
#include <random>
#include <thread>

#include "tests/unit/reranker/scheduler/scheduler_fixture.hpp"

namespace qrerank::reranker::scheduler {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

BOOST_FIXTURE_TEST_SUITE(scheduler_waiting, Fixture)

BOOST_AUTO_TEST_CASE(the_door_counts_texts_all_or_none) {
  settings.max_queued_texts = 3;
  start_gated();
  auto blocker = ask(encoded(1, 1));
  gate.arrived();  // it computes: the queue is empty
  auto fits = ask(encoded(2, 1));
  auto too_many = ask(encoded(2, 1));
  BOOST_REQUIRE(too_many.answer.ready());
  TEST_FAILURE(too_many.answer, overloaded);
  BOOST_TEST(scheduler->queue_length().texts == 2U);
  auto last = ask(encoded(1, 1));
  auto full = ask(encoded(1, 1));
  TEST_FAILURE(full.answer, overloaded);
  gate.open();
  BOOST_TEST(fits.answer.get().has_value());
  BOOST_TEST(last.answer.get().has_value());
}

BOOST_AUTO_TEST_CASE(the_door_counts_tokens) {
  settings.max_queued_tokens = 30;
  start_gated();
  auto blocker = ask(encoded(1, 1));
  gate.arrived();
  auto full = ask(encoded(3, 10));
  auto refused = ask(encoded(1, 1));
  TEST_FAILURE(refused.answer, overloaded);
  full.ticket = {};  // cancelling makes room
  TEST_FAILURE(full.answer, cancelled);
  BOOST_TEST(scheduler->queue_length().tokens == 0U);
  auto again = ask(encoded(3, 10));
  auto over = ask(encoded(1, 31));
  TEST_FAILURE(over.answer, overloaded);
  gate.open();
  BOOST_TEST(again.answer.get().has_value());
}

BOOST_AUTO_TEST_CASE(a_deadline_is_kept_while_a_batch_computes) {
  start_gated();
  auto computing = ask(encoded(1, 1), Clock::now() + milliseconds(5));
  auto waiting = ask(encoded(1, 1), Clock::now() + milliseconds(5));
  TEST_FAILURE(computing.answer, timeout);  // the gate is still closed
  const Result late = waiting.answer.get();
  BOOST_REQUIRE(!late.has_value());
  BOOST_TEST((late.error().failure == ScoreFailure::timeout));
  BOOST_TEST((late.error().timings.queue >= milliseconds(4)));
  BOOST_TEST(scheduler->queue_length().texts == 0U);
  gate.open();
  auto next = ask(encoded(1, 1), Clock::now() + hours(1));
  BOOST_TEST(next.answer.get().has_value());
}

BOOST_AUTO_TEST_CASE(an_expired_request_is_refused_at_once) {
  start();
  auto asked = ask(encoded(1, 1), Clock::now());
  BOOST_REQUIRE(asked.answer.ready());
  TEST_FAILURE(asked.answer, timeout);
}

BOOST_AUTO_TEST_CASE(dropping_the_ticket_takes_the_texts_out) {
  start_gated();
  auto computing = ask(encoded(1, 1));
  gate.arrived();
  auto waiting = ask(encoded(5, 1));
  waiting.ticket = {};
  TEST_FAILURE(waiting.answer, cancelled);
  computing.ticket = {};
  TEST_FAILURE(computing.answer, cancelled);
  BOOST_TEST(scheduler->queue_length().texts == 0U);
  gate.open();
  auto next = ask(encoded(1, 1));
  BOOST_TEST(next.answer.get().has_value());
  next.ticket = {};  // after the result: nothing happens
  const std::lock_guard lock(recorder.mutex);
  BOOST_TEST(recorder.batches.size() == 2U);
}

BOOST_AUTO_TEST_CASE(a_completion_may_drop_its_ticket_and_submit_again) {
  start();
  Answer<Result> second;
  auto first_ticket = std::make_shared<ScoreTicket>();
  auto second_ticket = std::make_shared<ScoreTicket>();
  Gate kept;
  *first_ticket = scheduler->submit(encoded(1, 1), kNever, [&](Result) {
    kept.pass();
    *first_ticket = {};
    *second_ticket = scheduler->submit(encoded(1, 1), kNever, second.completion());
  });
  kept.open();
  BOOST_TEST(second.get().has_value());
}

BOOST_AUTO_TEST_CASE(shutdown_completes_everything) {
  start_gated();
  auto computing = ask(encoded(1, 1));
  gate.arrived();
  auto waiting = ask(encoded(3, 1), Clock::now() + hours(1));
  std::thread stopper([&] { scheduler->shutdown(); });
  TEST_FAILURE(computing.answer, cancelled);
  TEST_FAILURE(waiting.answer, cancelled);
  auto after = ask(encoded(1, 1));
  TEST_FAILURE(after.answer, cancelled);
  gate.open();
  stopper.join();
  scheduler->shutdown();
  scheduler.reset();
  waiting.ticket = {};  // outlives the scheduler
}

// Everything at once; under the thread and address sanitizers this is the test.
BOOST_AUTO_TEST_CASE(storm) {
  for (int round = 0; round < 5; ++round) {
    Fixture fixture;
    fixture.settings = {.token_budget = 60, .max_queued_texts = 60, .max_queued_tokens = 500};
    std::atomic<unsigned> batches = 0;
    fixture.model.on_logits = [&](FakeModel::Items) {
      if (++batches % 17 == 0) {
        throw model::OutOfMemory{};
      }
      if (batches % 23 == 0) {
        throw std::runtime_error("now and then");
      }
    };
    fixture.start();
    std::atomic<int> submitted = 0;
    std::atomic<int> completed = 0;
    std::vector<std::thread> threads;
    for (unsigned seed = 0; seed < 6; ++seed) {
      threads.emplace_back([&, seed] {
        std::mt19937 random(seed);
        std::vector<ScoreTicket> kept;
        for (int i = 0; i < 150; ++i) {
          const auto texts =
              encoded(1 + random() % 8, 1 + random() % 30, static_cast<std::int32_t>(random() % 1000));
          const auto wanted = expected_logits(texts);
          const auto deadline =
              random() % 3 == 0 ? Clock::now() + std::chrono::microseconds(random() % 300) : kNever;
          ++submitted;
          ScoreTicket ticket =
              fixture.scheduler->submit(texts, deadline, [&completed, wanted](Result result) {
                if (result && result->logits != wanted) {
                  std::abort();
                }
                ++completed;
              });
          if (random() % 3 != 0) {
            kept.push_back(std::move(ticket));
          }
        }
        if (seed == 0) {
          fixture.scheduler->shutdown();
        }
      });
    }
    for (auto& thread : threads) {
      thread.join();
    }
    fixture.scheduler.reset();
    BOOST_TEST(completed.load() == submitted.load());
    BOOST_TEST(fixture.recorder.queue.texts == 0U);
    BOOST_TEST(fixture.recorder.queue.tokens == 0U);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qrerank::reranker::scheduler
