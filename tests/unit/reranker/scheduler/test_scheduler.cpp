// Batches: what goes together, what comes back, how long it took.
#include <boost/test/unit_test.hpp>
#include <map>

#include "tests/unit/reranker/scheduler/scheduler_fixture.hpp"

namespace qrerank::reranker::scheduler {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

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

BOOST_AUTO_TEST_CASE(batches_are_small_until_they_are_measured_and_where_they_take_long) {
  settings = {.token_budget = 4000,
              .batch_time = std::chrono::nanoseconds(1),
              .max_queued_texts = 1000,
              .max_queued_tokens = 10000};
  start();
  const auto texts = encoded(40, 100);
  BOOST_TEST(ask(texts).answer.get()->logits == expected_logits(texts), boost::test_tools::per_element());
  BOOST_TEST(ask(encoded(1, 1000)).answer.get().has_value());  // alone
  scheduler.reset();
  for (const BatchReport& batch : recorder.batches) {
    BOOST_TEST(batch.budget == 512U);
    BOOST_TEST((batch.tokens <= 512U || batch.items == 1U));
  }
  recorder.batches.clear();
  settings.batch_time = hours(1000);  // any machine computes 4000 fake tokens in it
  start();
  BOOST_TEST(ask(texts).answer.get().has_value());
  scheduler.reset();
  BOOST_REQUIRE_EQUAL(recorder.batches.size(), 2U);
  BOOST_TEST(recorder.batches[0].budget == 512U);
  BOOST_TEST(recorder.batches[1].budget == 4000U);
}

BOOST_AUTO_TEST_CASE(nothing_to_score_is_an_answer) {
  start();
  auto asked = ask({});
  BOOST_TEST(asked.answer.get()->logits.empty());
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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qrerank::reranker::scheduler
