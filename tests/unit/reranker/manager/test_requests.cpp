#include <atomic>
#include <boost/test/unit_test.hpp>
#include <optional>
#include <random>
#include <thread>

#include "tests/unit/reranker/manager/world.hpp"

namespace qrerank::reranker::manager {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

// One model, by the name of "fake".
struct Fixture : World {
  std::function<void(FakeModel&)> prepare;  // of the model that is loaded
  std::function<void()> on_load;            // before it is given
  Gate gate;

  void start() {
    models.clear();
    models.push_back(setup(
        "fake", 7,
        [this] {
          if (on_load) {
            on_load();
          }
        },
        [this](FakeModel& model) {
          if (prepare) {
            prepare(model);
          }
        }));
    World::start();
  }

  Asked ask(std::vector<std::string> texts, Clock::time_point deadline = Clock::time_point::max(),
            std::string query = "q", std::string instruction = "") {
    return World::ask("fake", std::move(texts), deadline, std::move(query), std::move(instruction));
  }
  ModelStatus status() { return World::status("fake"); }

  ~Fixture() {
    gate.open();
    stop();
  }
};

BOOST_FIXTURE_TEST_SUITE(requests, Fixture)

BOOST_AUTO_TEST_CASE(scores_in_text_order_and_equal_texts_once) {
  start();
  BOOST_TEST((status().state == ModelState::unloaded));
  BOOST_TEST(manager->knows("fake"));
  BOOST_TEST(!manager->knows("other"));
  auto asked = ask({"b c", "a", "b c", "d e f", "a"});
  const ScoreResult result = asked.answer.get();
  BOOST_REQUIRE(result.has_value());
  const std::vector<double> expected = {fake_logit("q", "b c"), fake_logit("q", "a"), fake_logit("q", "b c"),
                                        fake_logit("q", "d e f"), fake_logit("q", "a")};
  BOOST_TEST(result->logits == expected, boost::test_tools::per_element());
  BOOST_TEST(result->cached == 0U);
  BOOST_TEST(result->tokens == 1U + 2U + 1U + 3U);
  BOOST_TEST(witness.items == 3U);
  BOOST_TEST(witness.loads == 1);
  const ModelStatus ready = status();
  BOOST_TEST((ready.state == ModelState::ready));
  BOOST_TEST(ready.family == "fake");
  BOOST_TEST(ready.dtype == "float32");
  BOOST_TEST(ready.device == "cpu");
  BOOST_TEST(ready.bytes == 7U);
}

// As texts that are cut leave them; a model's rounding would set them apart.
BOOST_AUTO_TEST_CASE(equal_tokens_are_computed_once_and_score_alike) {
  prepare = [](FakeModel& model) {
    model.change = [](std::vector<double>& logits) {
      for (std::size_t place = 0; place < logits.size(); ++place) {
        logits[place] += 1e-9 * static_cast<double>(place);
      }
    };
  };
  start();
  auto asked = ask({"b c", "a", "b  c", "a ", "b c"});  // one token a word
  const ScoreResult result = asked.answer.get();
  BOOST_REQUIRE(result.has_value());
  BOOST_TEST(witness.items == 2U);
  BOOST_TEST(result->tokens == 1U + 2U + 1U);
  BOOST_TEST(result->logits.at(0) == result->logits.at(2));
  BOOST_TEST(result->logits.at(0) == result->logits.at(4));
  BOOST_TEST(result->logits.at(1) == result->logits.at(3));
  BOOST_TEST(result->logits.at(0) != result->logits.at(1));
  // Each text is in the cache under its own name.
  auto again = ask({"a ", "b  c", "a", "b c"});
  BOOST_TEST(again.answer.get()->cached == 4U);
  BOOST_TEST(witness.items == 2U);
}

BOOST_AUTO_TEST_CASE(the_cache_answers_what_it_knows) {
  start();
  (void)ask({"a", "b"}).answer.get();
  auto again = ask({"b", "c", "b"});
  const ScoreResult mixed = again.answer.get();
  BOOST_TEST(mixed->cached == 2U);
  BOOST_TEST(mixed->logits.at(0) == fake_logit("q", "b"));
  BOOST_TEST(mixed->logits.at(1) == fake_logit("q", "c"));
  BOOST_TEST(witness.items == 3U);
  auto all = ask({"c", "a"});
  const ScoreResult cached = all.answer.get();
  BOOST_TEST(cached->cached == 2U);
  BOOST_TEST(cached->tokens == 0U);
  BOOST_TEST((cached->timings.compute == Microseconds(0)));
  BOOST_TEST(witness.items == 3U);
  BOOST_TEST(witness.hits == 3U);
  BOOST_TEST(witness.misses == 3U);
  auto other_query = ask({"a"}, Clock::time_point::max(), "another");
  BOOST_TEST(other_query.answer.get()->cached == 0U);
  // This model follows no instruction, so none makes a difference.
  auto instructed = ask({"a"}, Clock::time_point::max(), "q", "judge kindly");
  BOOST_TEST(instructed.answer.get()->cached == 1U);
}

BOOST_AUTO_TEST_CASE(an_instruction_counts_where_it_is_followed) {
  prepare = [](FakeModel& model) { model.info_.follows_instructions = true; };
  start();
  (void)ask({"a"}).answer.get();
  auto instructed = ask({"a"}, Clock::time_point::max(), "q", "judge kindly");
  BOOST_TEST(instructed.answer.get()->cached == 0U);
}

BOOST_AUTO_TEST_CASE(works_without_a_cache) {
  cache.reset();
  start();
  for (int i = 0; i < 2; ++i) {
    auto asked = ask({"a", "a"});
    BOOST_TEST(asked.answer.get()->cached == 0U);
  }
  BOOST_TEST(witness.items == 2U);
  BOOST_TEST(witness.misses == 0U);
}

BOOST_AUTO_TEST_CASE(what_needs_no_model_is_answered_at_once) {
  start();
  auto empty = ask({});
  BOOST_REQUIRE(empty.answer.ready());
  BOOST_TEST(empty.answer.get()->logits.empty());
  auto late = ask({"a"}, Clock::now());
  BOOST_REQUIRE(late.answer.ready());
  TEST_FAILURE(late.answer, timeout);
  Answer<ScoreResult> answer;
  ScoreRequest request;
  request.model = "other";
  request.texts = {"a"};
  const ScoreTicket ticket = manager->submit(request, answer.completion());
  TEST_FAILURE(answer, model_unavailable);
  BOOST_TEST((status().state == ModelState::unloaded));
}

BOOST_AUTO_TEST_CASE(loads_once_however_many_ask) {
  std::atomic<int> loads = 0;
  on_load = [&] {
    ++loads;
    gate.pass();
  };
  start();
  manager->load("fake");
  manager->load("fake");
  std::vector<Asked> all;
  for (int i = 0; i < 5; ++i) {
    all.push_back(ask({std::to_string(i)}));
  }
  gate.arrived();
  BOOST_TEST((status().state == ModelState::loading));
  gate.open();
  for (int i = 0; i < 5; ++i) {
    BOOST_TEST(all[static_cast<std::size_t>(i)].answer.get()->logits.at(0) ==
               fake_logit("q", std::to_string(i)));
  }
  BOOST_TEST(loads == 1);
  stop();  // before what its models refer to goes
}

BOOST_AUTO_TEST_CASE(a_deadline_is_kept_while_loading) {
  on_load = [&] { gate.pass(); };
  start();
  auto impatient = ask({"a"}, Clock::now() + milliseconds(5));
  auto patient = ask({"a"});
  const ScoreError error = error_of(impatient.answer);  // the load goes on
  BOOST_TEST((error.failure == ScoreFailure::model_unavailable));
  BOOST_TEST((error.timings.queue >= milliseconds(4)));
  gate.open();
  BOOST_TEST(patient.answer.get().has_value());
}

BOOST_AUTO_TEST_CASE(a_failed_load_is_remembered_and_tried_again_later) {
  on_load = [n = 0]() mutable {
    if (n++ == 0) {
      throw std::runtime_error("model.safetensors: cut off");
    }
  };
  start();
  auto first = ask({"a"});
  BOOST_TEST(error_of(first.answer).message == "model.safetensors: cut off");
  BOOST_TEST((status().state == ModelState::failed));
  BOOST_TEST(status().detail == "model.safetensors: cut off");
  clock_seconds = 29;
  auto soon = ask({"a"});
  BOOST_REQUIRE(soon.answer.ready());
  const ScoreError refused = error_of(soon.answer);
  BOOST_TEST((refused.failure == ScoreFailure::model_unavailable));
  BOOST_TEST(refused.message == "model.safetensors: cut off");
  clock_seconds = 30;
  auto later = ask({"a"});
  BOOST_TEST(later.answer.get().has_value());
  BOOST_TEST(status().detail == "");
  BOOST_TEST(witness.failed_loads == 1);
  BOOST_TEST(witness.loads == 1);
}

BOOST_AUTO_TEST_CASE(the_door_counts_texts_and_bytes_before_any_work) {
  settings.max_queued_texts = 3;
  settings.max_queued_bytes = 10;
  on_load = [&] { gate.pass(); };
  start();
  auto too_many = ask({"a", "b", "c", "d"});
  BOOST_REQUIRE(too_many.answer.ready());
  TEST_FAILURE(too_many.answer, overloaded);
  auto too_long = ask({std::string(11, 'x')});
  TEST_FAILURE(too_long.answer, overloaded);
  BOOST_TEST((status().state == ModelState::unloaded));  // a refused request starts nothing
  auto held = ask({"a", std::string(8, 'x')});
  auto one_byte_over = ask({"bb"});
  TEST_FAILURE(one_byte_over.answer, overloaded);
  auto fits = ask({"b"});
  auto one_text_over = ask({""});
  TEST_FAILURE(one_text_over.answer, overloaded);
  held.ticket = {};
  TEST_FAILURE(held.answer, cancelled);
  auto room_again = ask({"c", "d"});
  gate.open();
  BOOST_TEST(fits.answer.get().has_value());
  BOOST_TEST(room_again.answer.get().has_value());
}

BOOST_AUTO_TEST_CASE(too_many_tokens_are_refused_after_tokenizing) {
  settings.max_queued_tokens = 3;
  start();
  auto over = ask({"a b c d"});
  TEST_FAILURE(over.answer, overloaded);
  auto fits = ask({"a b c"});
  BOOST_TEST(fits.answer.get().has_value());
}

BOOST_AUTO_TEST_CASE(failures_of_the_model) {
  prepare = [](FakeModel& model) {
    model.on_encode = [](std::span<const std::string> texts) {
      if (texts[0] == "poison") {
        throw std::runtime_error("bad bytes");
      }
    };
    model.on_logits = [](FakeModel::Items items) {
      if (items[0].body->ids.size() == 2) {
        throw model::OutOfMemory{};
      }
    };
  };
  start();
  auto poison = ask({"poison"});
  const ScoreError error = error_of(poison.answer);
  BOOST_TEST((error.failure == ScoreFailure::internal));
  BOOST_TEST(error.message.find("bad bytes") != std::string::npos);
  auto large = ask({"two words"});
  TEST_FAILURE(large.answer, out_of_memory);
  auto fine = ask({"word"});
  BOOST_TEST(fine.answer.get().has_value());
}

BOOST_AUTO_TEST_CASE(cancelling_while_tokenizing_and_while_computing) {
  Gate encoding;
  Gate computing;
  prepare = [&](FakeModel& model) {
    model.on_encode = [&](std::span<const std::string> texts) {
      if (texts[0] == "slow") {
        encoding.pass();
      }
    };
    model.on_logits = [&](FakeModel::Items items) {
      if (items[0].body->ids.size() == 3) {
        computing.pass();
      }
    };
  };
  start();
  auto slow = ask({"slow"});
  encoding.arrived();
  slow.ticket = {};
  TEST_FAILURE(slow.answer, cancelled);
  auto expiring = ask({"slow"}, Clock::now() + milliseconds(5));
  TEST_FAILURE(expiring.answer, timeout);
  encoding.open();
  auto computed = ask({"one two three"});
  computing.arrived();
  computed.ticket = {};
  TEST_FAILURE(computed.answer, cancelled);
  computing.open();
  auto after = ask({"a"});
  BOOST_TEST(after.answer.get().has_value());
  auto kept = ask({"one two three"});  // computed for nobody, but kept
  BOOST_TEST(kept.answer.get()->cached == 1U);
  stop();  // before what its models refer to goes
}

BOOST_AUTO_TEST_CASE(a_deadline_is_kept_while_computing) {
  prepare = [&](FakeModel& model) { model.on_logits = [&](FakeModel::Items) { gate.pass(); }; };
  start();
  auto asked = ask({"a"}, Clock::now() + milliseconds(20));
  const ScoreFailure failure = error_of(asked.answer).failure;
  BOOST_TEST((failure == ScoreFailure::timeout || failure == ScoreFailure::model_unavailable));
}

BOOST_AUTO_TEST_CASE(shutdown_from_every_state) {
  start();
  manager->shutdown();  // never loaded
  auto refused = ask({"a"});
  TEST_FAILURE(refused.answer, model_unavailable);
  BOOST_TEST((status().state == ModelState::draining));
  manager->load("fake");  // does nothing

  {  // while loading
    Gate loading;
    on_load = [&] { loading.pass(); };
    start();
    auto waiting = ask({"a"});
    loading.arrived();
    std::thread stopper([&] { manager->shutdown(); });
    TEST_FAILURE(waiting.answer, cancelled);
    loading.open();
    stopper.join();
    on_load = nullptr;
  }
  {  // while tokenizing
    Gate encoding;
    prepare = [&](FakeModel& model) { model.on_encode = [&](auto) { encoding.pass(); }; };
    start();
    auto tokenizing = ask({"a"});
    encoding.arrived();
    std::thread stopper([&] { manager->shutdown(); });
    TEST_FAILURE(tokenizing.answer, cancelled);
    encoding.open();
    stopper.join();
  }
  {  // while computing
    Gate computing;
    prepare = [&](FakeModel& model) { model.on_logits = [&](auto) { computing.pass(); }; };
    start();
    auto busy = ask({"not cached by what came before"});
    computing.arrived();
    auto queued = ask({"b"}, Clock::now() + hours(1));
    std::thread stopper([&] { manager->shutdown(); });
    TEST_FAILURE(busy.answer, cancelled);
    TEST_FAILURE(queued.answer, cancelled);
    computing.open();
    stopper.join();
    manager->shutdown();
    stop();
    busy.ticket = {};  // outlives the scorer
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qrerank::reranker::manager
