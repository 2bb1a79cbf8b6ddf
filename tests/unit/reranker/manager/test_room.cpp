// Several models and not enough memory for all.
#include <boost/test/unit_test.hpp>
#include <thread>

#include "tests/unit/reranker/manager/world.hpp"

namespace qrerank::reranker::manager {
namespace {

using Needs = std::vector<model::ReplicaNeed>;
using std::chrono::hours;
using std::chrono::milliseconds;

constexpr std::uint64_t kMiB = 1u << 20;

struct Rooms : World {
  Rooms() { settings.memory_budget = 10 * kMiB; }

  void add(const std::string& name, std::uint64_t mebibytes, std::function<void(FakeModel&)> prepare = {}) {
    models.push_back(setup(name, mebibytes * kMiB, {}, std::move(prepare)));
  }
  // Loads it and has it answer.
  void use(const std::string& name) {
    ++clock_seconds;
    BOOST_REQUIRE(ask(name, {"used at " + std::to_string(clock_seconds)}).answer.get().has_value());
    await_idle(name);
  }
  ModelState state(const std::string& name) { return status(name).state; }
};

BOOST_FIXTURE_TEST_SUITE(room, Rooms)

BOOST_AUTO_TEST_CASE(several_are_there_at_once_while_they_fit) {
  add("a", 5);
  add("b", 5);
  start();
  use("a");
  use("b");
  BOOST_TEST((state("a") == ModelState::ready));
  BOOST_TEST((state("b") == ModelState::ready));
  BOOST_TEST(witness.most_bytes() == 10 * kMiB);
}

BOOST_AUTO_TEST_CASE(the_least_recently_used_idle_one_makes_room) {
  add("a", 4);
  add("b", 4);
  add("c", 4);
  start();
  use("a");
  use("b");
  use("a");
  use("c");
  BOOST_TEST((state("b") == ModelState::unloaded));
  BOOST_TEST((state("a") == ModelState::ready));
  BOOST_TEST((state("c") == ModelState::ready));
  use("b");
  BOOST_TEST((state("a") == ModelState::unloaded));
  BOOST_TEST(witness.most_bytes() <= 10 * kMiB);
  BOOST_TEST(witness.loads == 4);
}

BOOST_AUTO_TEST_CASE(one_that_can_never_fit_is_refused_with_numbers) {
  add("large", 11);
  add("small", 5);
  start();
  use("small");
  auto asked = ask("large");
  const ScoreError error = error_of(asked.answer);
  BOOST_TEST((error.failure == ScoreFailure::out_of_memory));
  BOOST_TEST(
      error.message ==
      "no room for the model: 11.0 MiB needed on cpu, where 5.0 MiB of 10.0 MiB are taken by other models");
  BOOST_TEST((state("large") == ModelState::failed));
  BOOST_TEST(status("large").detail == error.message);
  BOOST_TEST((state("small") == ModelState::ready));  // nobody goes in vain
  BOOST_TEST(witness.failed_loads == 1);
}

BOOST_AUTO_TEST_CASE(a_busy_one_is_let_finish_first) {
  Gate computing;
  add("busy", 6, [&](FakeModel& model) { model.on_logits = [&](auto) { computing.pass(); }; });
  add("next", 6);
  start();
  auto first = ask("busy");
  computing.arrived();
  auto second = ask("next");
  witness.await("next", ModelState::loading);
  BOOST_TEST((state("busy") == ModelState::ready));
  BOOST_TEST(!second.answer.ready());
  computing.open();
  TEST_SCORED(first, "q", "a");
  TEST_SCORED(second, "q", "a");
  BOOST_TEST((state("busy") == ModelState::unloaded));
  BOOST_TEST(witness.most_bytes() <= 10 * kMiB);
  stop();  // before what its models refer to goes
}

BOOST_AUTO_TEST_CASE(waiting_for_room_ends_with_the_limit_and_says_why) {
  settings.load_timeout = milliseconds(50);
  Gate computing;
  add("busy", 6, [&](FakeModel& model) { model.on_logits = [&](auto) { computing.pass(); }; });
  add("next", 6);
  start();
  auto first = ask("busy");
  computing.arrived();
  auto second = ask("next");
  const ScoreError error = error_of(second.answer);
  BOOST_TEST((error.failure == ScoreFailure::out_of_memory));
  BOOST_TEST(error.message.find("6.0 MiB of 10.0 MiB") != std::string::npos);
  computing.open();
  BOOST_TEST(first.answer.get().has_value());
  // Nobody waits for the room any more: it is not loaded, and "busy" stays.
  witness.await("next", ModelState::unloaded);
  BOOST_TEST((state("busy") == ModelState::ready));
  use("next");
  stop();  // before what its models refer to goes
}

BOOST_AUTO_TEST_CASE(an_order_waits_for_room_though_no_request_does) {
  Gate computing;
  add("busy", 6, [&](FakeModel& model) { model.on_logits = [&](auto) { computing.pass(); }; });
  add("next", 6);
  start();
  auto first = ask("busy");
  computing.arrived();
  manager->load("next");
  witness.await("next", ModelState::loading);
  manager->unload("next");  // and is taken back
  witness.await("next", ModelState::unloaded);
  manager->load("next");
  computing.open();
  witness.await("next", ModelState::ready);
  BOOST_TEST(first.answer.get().has_value());
  stop();  // before what its models refer to goes
}

BOOST_AUTO_TEST_CASE(a_small_one_passes_a_large_one_that_waits) {
  Gate computing;
  add("busy", 6, [&](FakeModel& model) { model.on_logits = [&](auto) { computing.pass(); }; });
  add("large", 8);
  add("small", 3);
  start();
  auto first = ask("busy");
  computing.arrived();
  auto large = ask("large");
  witness.await("large", ModelState::loading);
  use("small");
  BOOST_TEST(!large.answer.ready());
  computing.open();
  BOOST_TEST(large.answer.get().has_value());
  BOOST_TEST(first.answer.get().has_value());
  stop();  // before what its models refer to goes
}

BOOST_AUTO_TEST_CASE(without_a_budget_the_machine_decides) {
  settings.memory_budget = 0;
  std::atomic<std::uint64_t> taken = 0;  // MiB
  settings.memory = [&](const std::string&) {
    return std::optional(model::DeviceMemory{(20 - taken) * kMiB, 20 * kMiB});
  };
  for (const auto* name : {"a", "b", "c"}) {
    models.push_back(setup(
        name, 8 * kMiB, [&] { taken += 8; },
        [&](FakeModel& model) {
          model.on_release = [hold = std::shared_ptr<void>(nullptr, [&](void*) { taken -= 8; })] {};
        }));
  }
  add("large", 19);  // a tenth of the 20 is left alone
  start();
  use("a");
  use("b");
  BOOST_TEST(taken == 16U);
  use("c");
  BOOST_TEST((state("a") == ModelState::unloaded));
  BOOST_TEST((state("b") == ModelState::ready));
  auto large = ask("large");
  TEST_FAILURE(large.answer, out_of_memory);
  stop();  // before what its models refer to goes
}

BOOST_AUTO_TEST_CASE(each_gpu_has_its_own_budget) {
  settings.gpu_memory_budget = 8 * kMiB;
  const auto on = [&](const std::string& name, const std::string& device) {
    ModelSetup its = setup(name, 5 * kMiB);
    its.source.needs = [device] { return Needs{{device, 5 * kMiB}}; };
    models.push_back(std::move(its));
  };
  on("zero", "cuda:0");
  on("one", "cuda:1");
  on("also one", "cuda:1");
  add("cpu", 9);
  start();
  use("zero");
  use("one");
  use("cpu");
  use("also one");
  BOOST_TEST((state("zero") == ModelState::ready));
  BOOST_TEST((state("cpu") == ModelState::ready));
  BOOST_TEST((state("one") == ModelState::unloaded));
}

BOOST_AUTO_TEST_CASE(shutdown_while_somebody_waits_for_room) {
  Gate computing;
  add("busy", 6, [&](FakeModel& model) { model.on_logits = [&](auto) { computing.pass(); }; });
  add("next", 6);
  start();
  auto first = ask("busy");
  computing.arrived();
  auto second = ask("next", {"a"}, Clock::now() + hours(1));
  witness.await("next", ModelState::loading);
  std::thread stopper([&] { manager->shutdown(); });
  TEST_FAILURE(first.answer, cancelled);
  TEST_FAILURE(second.answer, cancelled);
  computing.open();
  stopper.join();
  stop();  // before what its models refer to goes
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qrerank::reranker::manager
