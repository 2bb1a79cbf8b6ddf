#include <boost/test/unit_test.hpp>
#include <new>

#include "tests/unit/reranker/manager/world.hpp"

namespace qrerank::reranker::manager {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Needs = std::vector<model::ReplicaNeed>;
using Loaded = tl::expected<std::unique_ptr<model::Model>, model::LoadError>;
using States = std::vector<ModelState>;

BOOST_FIXTURE_TEST_SUITE(loading, World)

BOOST_AUTO_TEST_CASE(every_way_that_a_load_can_fail) {
  const auto unavailable = ScoreFailure::model_unavailable;
  const auto memory = ScoreFailure::out_of_memory;
  struct Row {
    std::function<tl::expected<Needs, model::LoadError>()> needs;
    std::function<Loaded()> load;
    ScoreFailure failure;
    std::string message;
  };
  const auto good_needs = [] { return Needs{{"cpu", 1}}; };
  const auto unasked = []() -> Loaded { throw std::logic_error("not to be called"); };
  const std::vector<Row> rows = {
      {good_needs, []() -> Loaded { return tl::make_unexpected(model::LoadError{"no config.json"}); },
       unavailable, "no config.json"},
      {good_needs, []() -> Loaded { return tl::make_unexpected(model::LoadError{"2 GiB short", true}); },
       memory, "2 GiB short"},
      {good_needs, []() -> Loaded { return nullptr; }, unavailable, "the loader gave no model"},
      {good_needs, []() -> Loaded { throw model::OutOfMemory{}; }, memory, "memory ran out while loading"},
      {good_needs, []() -> Loaded { throw std::bad_alloc(); }, memory, "memory ran out while loading"},
      {good_needs, []() -> Loaded { throw std::runtime_error("cut off"); }, unavailable, "cut off"},
      {[]() -> tl::expected<Needs, model::LoadError> {
         return tl::make_unexpected(model::LoadError{"no such folder"});
       },
       unasked, unavailable, "no such folder"},
      {[]() -> tl::expected<Needs, model::LoadError> { throw std::runtime_error("bad header"); }, unasked,
       unavailable, "bad header"},
      {[] { return Needs{}; }, unasked, unavailable, "the source names no replica"},
  };
  for (const Row& row : rows) {
    ModelSetup its;
    its.name = "fake";
    its.source.needs = row.needs;
    its.source.load = [&](const std::string&, model::LoadProgress&) { return row.load(); };
    models.clear();
    models.push_back(std::move(its));
    start();
    auto asked = ask("fake");
    const ScoreError error = error_of(asked.answer);
    BOOST_TEST((error.failure == row.failure), row.message);
    BOOST_TEST(error.message == row.message);
    BOOST_TEST((status("fake").state == ModelState::failed));
    BOOST_TEST(status("fake").bytes == 0U);
    auto refused = ask("fake");  // the same again, at once
    BOOST_REQUIRE(refused.answer.ready());
    BOOST_TEST((error_of(refused.answer).failure == row.failure));
  }
}

BOOST_AUTO_TEST_CASE(who_waits_for_a_load_has_a_limit_of_its_own) {
  settings.load_timeout = milliseconds(5);
  Gate gate;
  models.push_back(setup("fake", 1, [&] { gate.pass(); }));
  start();
  auto impatient = ask("fake");
  const ScoreError error = error_of(impatient.answer);
  BOOST_TEST((error.failure == ScoreFailure::model_unavailable));
  BOOST_TEST((error.timings.queue >= milliseconds(5)));
  gate.open();  // the load went on
  witness.await("fake", ModelState::ready);
  auto later = ask("fake");
  TEST_SCORED(later, "q", "a");
  BOOST_TEST(witness.loads == 1);
  stop();  // before what its models refer to goes
}

BOOST_AUTO_TEST_CASE(the_limit_for_loading_does_not_bind_once_it_is_loaded) {
  settings.load_timeout = milliseconds(20);
  Gate gate;
  models.push_back(
      setup("fake", 1, {}, [&](FakeModel& model) { model.on_logits = [&](auto) { gate.pass(); }; }));
  start();
  manager->load("fake");
  witness.await("fake", ModelState::ready);
  auto asked = ask("fake");
  gate.arrived();
  auto later = ask("fake", {"b"}, Clock::now() + milliseconds(60));  // rings after the limit of the first
  TEST_FAILURE(later.answer, timeout);
  BOOST_TEST(!asked.answer.ready());
  gate.open();
  BOOST_TEST(asked.answer.get().has_value());
  stop();  // before what its models refer to goes
}

BOOST_AUTO_TEST_CASE(preloaded_ones_load_unasked) {
  auto its = setup("fake", 7);
  its.preload = true;
  models.push_back(std::move(its));
  models.push_back(setup("other", 7));
  start();
  witness.await("fake", ModelState::ready);
  BOOST_TEST(status("fake").bytes == 7U);
  BOOST_TEST((status("other").state == ModelState::unloaded));
}

BOOST_AUTO_TEST_CASE(orders_of_an_operator) {
  std::atomic<int> loads = 0;
  models.push_back(setup("fake", 7, [&] {
    if (++loads == 1) {
      throw std::runtime_error("no such file");
    }
  }));
  start();
  BOOST_TEST(!manager->load("other"));
  BOOST_TEST(!manager->unload("other"));
  BOOST_TEST(manager->load("fake"));
  witness.await("fake", ModelState::failed);
  BOOST_TEST(manager->load("fake"));  // does not wait for the back-off
  witness.await("fake", ModelState::ready);
  BOOST_TEST(manager->load("fake"));
  BOOST_TEST(status("fake").replicas == 1U);
  BOOST_TEST(manager->unload("fake"));
  witness.await("fake", ModelState::unloaded);
  BOOST_TEST(manager->unload("fake"));
  BOOST_TEST(status("fake").bytes == 0U);
  BOOST_TEST(status("fake").replicas == 0U);
  auto asked = ask("fake");  // as if nothing had been
  TEST_SCORED(asked, "q", "a");
  BOOST_TEST(loads == 3);
  manager->shutdown();
  manager->load("fake");
  manager->unload("fake");
  BOOST_TEST((status("fake").state == ModelState::draining));
  stop();  // before what its models refer to goes
}

BOOST_AUTO_TEST_CASE(unloading_lets_requests_finish_and_later_ones_load_again) {
  Gate computing;
  models.push_back(setup("fake", 7, {}, [&](FakeModel& model) {
    model.on_logits = [&](FakeModel::Items items) {
      if (items[0].body->ids.size() == 2) {
        computing.pass();
      }
    };
  }));
  start();
  auto busy = ask("fake", {"two words"});
  computing.arrived();
  auto queued = ask("fake", {"queued"});
  manager->unload("fake");
  BOOST_TEST((status("fake").state == ModelState::draining));
  BOOST_TEST(status("fake").waiting == 2U);
  auto later = ask("fake", {"later"});
  BOOST_TEST(!later.answer.ready());
  computing.open();
  TEST_SCORED(busy, "q", "two words");
  TEST_SCORED(queued, "q", "queued");
  TEST_SCORED(later, "q", "later");
  BOOST_TEST(witness.loads == 2);
  const States all = {ModelState::unloaded, ModelState::loading, ModelState::ready,
                      ModelState::draining, ModelState::loading, ModelState::ready};
  BOOST_TEST((witness.states("fake") == all));
  stop();  // before what its models refer to goes
}

BOOST_AUTO_TEST_CASE(unloading_one_that_loads_waits_for_its_requests) {
  Gate gate;
  models.push_back(setup("fake", 7, [&] { gate.pass(); }));
  start();
  auto asked = ask("fake");
  gate.arrived();
  manager->unload("fake");
  gate.open();
  TEST_SCORED(asked, "q", "a");
  witness.await("fake", ModelState::draining);
  witness.await("fake", ModelState::unloaded);
  // An order to load takes back the one to unload.
  manager->load("fake");
  manager->unload("fake");
  manager->load("fake");
  auto again = ask("fake");
  TEST_SCORED(again, "q", "a");
  stop();  // before what its models refer to goes
}

BOOST_AUTO_TEST_CASE(unloading_waits_for_a_batch_that_nobody_wants_any_more) {
  Gate computing;
  std::atomic<bool> gone = false;
  std::shared_ptr<void> watched(nullptr, [&](void*) { gone = true; });
  models.push_back(setup("fake", 7, {}, [&, watched = std::move(watched)](FakeModel& model) {
    model.on_logits = [&computing, watched](auto) { computing.pass(); };
  }));
  start();
  auto asked = ask("fake");
  computing.arrived();
  asked.ticket = {};
  TEST_FAILURE(asked.answer, cancelled);
  manager->unload("fake");
  computing.open();
  witness.await("fake", ModelState::unloaded);
  stop();
  models.clear();
  BOOST_TEST(gone);
}

BOOST_AUTO_TEST_CASE(idle_ones_are_unloaded_after_their_time) {
  auto its = setup("fake", 7);
  its.idle_unload = hours(1);
  models.push_back(std::move(its));
  models.push_back(setup("kept", 7));
  start();
  (void)ask("kept").answer.get();
  (void)ask("fake").answer.get();
  await_idle("fake");
  clock_seconds = 3599;
  manager->unload_idle();
  BOOST_TEST((status("fake").state == ModelState::ready));
  BOOST_TEST((status("fake").idle == seconds(3599)));
  (void)ask("fake", {"b"}).answer.get();
  await_idle("fake");
  clock_seconds = 3600;
  manager->unload_idle();
  BOOST_TEST((status("fake").state == ModelState::ready));  // asked a second ago
  clock_seconds = 7199;
  manager->unload_idle();
  witness.await("fake", ModelState::unloaded);
  BOOST_TEST((status("kept").state == ModelState::ready));
  BOOST_TEST(!status("fake").idle.has_value());
  auto again = ask("fake");
  BOOST_TEST(again.answer.get().has_value());
}

BOOST_AUTO_TEST_CASE(a_busy_one_is_not_idle_however_long_it_takes) {
  Gate computing;
  auto its =
      setup("fake", 7, {}, [&](FakeModel& model) { model.on_logits = [&](auto) { computing.pass(); }; });
  its.idle_unload = seconds(1);
  models.push_back(std::move(its));
  start();
  auto asked = ask("fake");
  computing.arrived();
  clock_seconds = 1000;
  manager->unload_idle();
  BOOST_TEST((status("fake").state == ModelState::ready));
  BOOST_TEST(!status("fake").idle.has_value());
  computing.open();
  BOOST_TEST(asked.answer.get().has_value());
  stop();  // before what its models refer to goes
}

BOOST_AUTO_TEST_CASE(the_manager_looks_for_idle_ones_by_itself) {
  settings.now = &Clock::now;
  auto its = setup("fake", 7);
  its.idle_unload = milliseconds(1);
  models.push_back(std::move(its));
  start();
  for (int i = 0; i < 3; ++i) {
    BOOST_TEST(ask("fake", {std::to_string(i)}).answer.get().has_value());
    witness.await("fake", ModelState::unloaded);
  }
}

BOOST_AUTO_TEST_CASE(replicas_compute_side_by_side) {
  Gate computing;
  ModelSetup its =
      setup("fake", 7, {}, [&](FakeModel& model) { model.on_logits = [&](auto) { computing.pass(); }; });
  its.source.needs = [] { return Needs{{"cuda:0", 5}, {"cuda:1", 5}}; };
  models.push_back(std::move(its));
  start();
  auto one = ask("fake", {"one"});
  computing.arrived(1);
  auto two = ask("fake", {"two"});
  computing.arrived(2);
  const ModelStatus its_status = status("fake");
  BOOST_TEST(its_status.device == "cuda:0,cuda:1");
  BOOST_TEST(its_status.replicas == 2U);
  BOOST_TEST(its_status.bytes == 14U);  // as loaded, not as reckoned
  BOOST_TEST(its_status.waiting == 2U);
  computing.open();
  TEST_SCORED(one, "q", "one");
  TEST_SCORED(two, "q", "two");
  stop();  // before what its models refer to goes
}

BOOST_AUTO_TEST_CASE(a_replica_that_fails_fails_the_model) {
  ModelSetup its;
  its.name = "fake";
  its.source.needs = [] { return Needs{{"cuda:0", 5}, {"cuda:1", 5}}; };
  its.source.load = [](const std::string& device, model::LoadProgress&) -> Loaded {
    if (device == "cuda:1") {
      return tl::make_unexpected(model::LoadError{"cuda:1: out of memory", true});
    }
    return std::make_unique<FakeModel>();
  };
  models.push_back(std::move(its));
  start();
  auto asked = ask("fake");
  TEST_FAILURE(asked.answer, out_of_memory);
  BOOST_TEST(status("fake").replicas == 0U);
}

BOOST_AUTO_TEST_CASE(memory_bounds_the_batches) {
  struct Row {
    std::size_t bytes_per_token, free, replicas, budget;
  };
  settings.token_budget = 4096;
  for (const Row& row : {Row{0, 10'000, 1, 4096}, Row{2, 1 << 20, 1, 4096}, Row{100, 100'000, 1, 500},
                         Row{100, 100'000, 2, 250}, Row{100, 10, 1, 64}}) {
    settings.memory = [&](const std::string& device) {
      BOOST_TEST(device == "cpu");
      return std::optional(model::DeviceMemory{row.free, row.free});
    };
    settings.memory_budget = 1000;
    ModelSetup its = setup("fake", 7, {}, [&](FakeModel& model) {
      model.info_.activation_bytes_per_token = row.bytes_per_token;
    });
    its.source.needs = [&] { return Needs(row.replicas, {"cpu", 7}); };
    models.clear();
    models.push_back(std::move(its));
    cache.reset();
    start();
    BOOST_REQUIRE(ask("fake").answer.get().has_value());
    BOOST_TEST(witness.budget == row.budget);
    stop();
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qrerank::reranker::manager
