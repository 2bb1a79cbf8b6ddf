#include <atomic>
#include <boost/test/unit_test.hpp>
#include <limits>
#include <map>
#include <optional>
#include <random>

#include "reranker/scheduler/scheduler.hpp"
#include "tests/unit/reranker/fake_model.hpp"

namespace qrerank::reranker::scheduler {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using Result = tl::expected<ScoredTexts, ScoreError>;

constexpr auto kNever = Clock::time_point::max();

// `texts` texts of `tokens` tokens each, none like another.
model::EncodedTexts encoded(std::size_t texts, std::size_t tokens, std::int32_t first = 1) {
  model::EncodedTexts all;
  for (std::size_t i = 0; i < texts; ++i) {
    model::Sequence sequence;
    sequence.ids.assign(tokens, first++);
    all.texts.push_back(std::move(sequence));
  }
  return all;
}

std::vector<double> expected_logits(const model::EncodedTexts& texts) {
  std::vector<double> all;
  for (const auto& text : texts.texts) {
    all.push_back(fake_logit(texts.prefix.get(), text));
  }
  return all;
}

struct Recorder : Observer {
  std::mutex mutex;
  std::vector<BatchReport> batches;
  std::vector<std::size_t> budgets;
  QueueLength queue;

  void batch_formed(const std::string&, const BatchReport& batch) override {
    const std::lock_guard lock(mutex);
    batches.push_back(batch);
  }
  void budget_halved(const std::string&, std::size_t budget) override {
    const std::lock_guard lock(mutex);
    budgets.push_back(budget);
  }
  void queue_changed(const std::string&, std::size_t texts, std::size_t tokens) override {
    const std::lock_guard lock(mutex);
    queue = {texts, tokens};
  }
};

struct Fixture {
  FakeModel model;
  Recorder recorder;
  DeadlineTimer timer;
  SchedulerSettings settings{.token_budget = 100, .max_queued_texts = 1000, .max_queued_tokens = 10000};
  std::optional<Scheduler> scheduler;
  Gate gate;

  void start() { scheduler.emplace("fake", std::vector<model::Model*>{&model}, settings, timer, recorder); }

  // The first batch waits in the model until the gate opens.
  void start_gated() {
    model.on_logits = [this, first = true](FakeModel::Items) mutable {
      if (std::exchange(first, false)) {
        gate.pass();
      }
    };
    start();
  }

  struct Asked {
    Answer<Result> answer;
    ScoreTicket ticket;
  };
  Asked ask(model::EncodedTexts texts, Clock::time_point deadline = kNever, BatchTap tap = {}) {
    Asked asked;
    asked.ticket = scheduler->submit(std::move(texts), deadline, asked.answer.completion(), std::move(tap));
    return asked;
  }

  ~Fixture() {
    gate.open();
    scheduler.reset();
  }
};

ScoreFailure failure_of(Answer<Result>& answer) {
  const Result result = answer.get();
  BOOST_REQUIRE(!result.has_value());
  return result.error().failure;
}

#define TEST_FAILURE(answer, expected) BOOST_TEST((failure_of(answer) == ScoreFailure::expected))

BOOST_FIXTURE_TEST_SUITE(scheduler, Fixture)

BOOST_AUTO_TEST_CASE(scores_come_back_in_order_over_several_batches) {
  start();
  model::EncodedTexts texts;
  for (std::int32_t i = 1; i <= 30; ++i) {
    texts.texts.push_back(encoded(1, 1 + static_cast<std::size_t>(i * 7 % 40), i).texts[0]);
  }
  auto asked = ask(texts);
  const Result result = asked.answer.get();
  BOOST_REQUIRE(result.has_value());
  BOOST_TEST(result->logits == expected_logits(texts), boost::test_tools::per_element());
  std::size_t tokens = 0;
  for (const auto& text : texts.texts) {
    tokens += text.ids.size();
  }
  BOOST_TEST(result->tokens == tokens);
  const std::lock_guard lock(recorder.mutex);
  BOOST_TEST(recorder.batches.size() > 1U);
  for (const BatchReport& batch : recorder.batches) {
    BOOST_TEST(batch.tokens <= 100U);
    BOOST_TEST(batch.budget == 100U);
  }
  BOOST_TEST(recorder.queue.texts == 0U);
}

BOOST_AUTO_TEST_CASE(requests_share_a_batch_and_prefixes_are_counted_once) {
  start_gated();
  auto blocker = ask(encoded(1, 1));
  gate.arrived();
  auto one = encoded(2, 10, 50);
  one.prefix = std::make_shared<const model::Sequence>(fake_tokens("a b c"));
  auto a = ask(one);
  auto b = ask(encoded(3, 10, 60));
  gate.open();
  const Result result = a.answer.get();
  BOOST_TEST(result->logits == expected_logits(one), boost::test_tools::per_element());
  BOOST_TEST(result->tokens == 23U);
  BOOST_TEST(b.answer.get()->logits.size() == 3U);
  const std::lock_guard lock(recorder.mutex);
  BOOST_REQUIRE_EQUAL(recorder.batches.size(), 2U);
  BOOST_TEST(recorder.batches[1].items == 5U);
  BOOST_TEST(recorder.batches[1].requests == 2U);
  BOOST_TEST(recorder.batches[1].tokens == 53U);
}

BOOST_AUTO_TEST_CASE(a_prefix_that_the_model_keeps_is_not_counted_again) {
  settings.token_budget = 50;
  const model::Sequence* computed = nullptr;  // the compute thread's
  model.on_logits = [&](FakeModel::Items items) { computed = items[0].prefix; };
  model.keeps = [&](const model::Sequence& prefix) { return &prefix == computed; };
  start();
  auto texts = encoded(10, 10);
  texts.prefix = std::make_shared<const model::Sequence>(encoded(1, 30, 99).texts[0]);
  const Result result = ask(texts).answer.get();
  BOOST_REQUIRE(result.has_value());
  BOOST_TEST(result->logits == expected_logits(texts), boost::test_tools::per_element());
  const std::lock_guard lock(recorder.mutex);
  std::vector<std::size_t> items;
  for (const BatchReport& batch : recorder.batches) {
    items.push_back(batch.items);
    BOOST_TEST(batch.tokens == (items.size() == 1 ? 50U : batch.items * 10));
  }
  BOOST_TEST(items == (std::vector<std::size_t>{2, 5, 3}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_text_over_the_budget_goes_alone_and_holds_nobody_up) {
  settings.token_budget = 50;
  start_gated();
  auto blocker = ask(encoded(1, 1));
  gate.arrived();
  auto texts = encoded(2, 10);
  texts.texts.push_back(encoded(1, 500, 77).texts[0]);
  texts.prefix = std::make_shared<const model::Sequence>(encoded(1, 60, 99).texts[0]);
  auto large = ask(texts);
  auto small = ask(encoded(2, 20, 40));
  gate.open();
  const Result result = large.answer.get();
  BOOST_TEST(result->logits == expected_logits(texts), boost::test_tools::per_element());
  BOOST_TEST(small.answer.get().has_value());
  const std::lock_guard lock(recorder.mutex);
  for (const BatchReport& batch : recorder.batches) {
    BOOST_TEST((batch.tokens <= 50U || batch.items == 1U));
  }
}

BOOST_AUTO_TEST_CASE(nothing_to_score_is_an_answer) {
  start();
  auto asked = ask({});
  BOOST_TEST(asked.answer.get()->logits.empty());
}

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

BOOST_AUTO_TEST_CASE(taps_tell_of_each_batch_before_the_answer_and_after_a_timeout) {
  start_gated();
  std::map<std::size_t, double> seen;
  const auto texts = encoded(3, 60);  // a batch each
  Answer<int> third;
  auto asked = ask(texts, Clock::now() + milliseconds(5), [&](auto places, auto logits) {
    for (std::size_t i = 0; i < places.size(); ++i) {
      seen[places[i]] = logits[i];
    }
    third.completion()(1);  // once only: the rest was taken out of the queue
  });
  TEST_FAILURE(asked.answer, timeout);
  gate.open();
  (void)third.get();
  BOOST_TEST(seen.size() == 1U);
  BOOST_TEST(seen.at(0) == expected_logits(texts)[0]);
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

BOOST_AUTO_TEST_CASE(timings_add_up_to_the_wall_time) {
  model.on_logits = [](FakeModel::Items) {
    const auto until = Clock::now() + milliseconds(3);
    while (Clock::now() < until) {
    }
  };
  start();
  const auto begin = Clock::now();
  auto asked = ask(encoded(4, 60));
  const Result result = asked.answer.get();
  const auto wall = std::chrono::duration_cast<Microseconds>(Clock::now() - begin);
  BOOST_TEST((result->timings.compute >= milliseconds(12)));
  BOOST_TEST((result->timings.compute + result->timings.queue <= wall));
}

BOOST_AUTO_TEST_CASE(replicas_compute_side_by_side) {
  FakeModel second;
  Gate both;
  model.on_logits = second.on_logits = [&](FakeModel::Items) { both.pass(); };
  scheduler.emplace("fake", std::vector<model::Model*>{&model, &second}, settings, timer, recorder);
  auto asked = ask(encoded(2, 60));
  both.arrived(2);
  both.open();
  BOOST_TEST(asked.answer.get().has_value());
  scheduler.reset();
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
