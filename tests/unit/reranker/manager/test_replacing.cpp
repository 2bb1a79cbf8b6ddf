// Models that come, go and are replaced while the program runs, as a reload of the configuration has it.
#include <boost/test/unit_test.hpp>

#include "tests/unit/reranker/manager/world.hpp"

namespace qrerank::reranker::manager {
namespace {

using std::chrono::seconds;

struct Replacing : World {
  Replacing() { cache = nullptr; }  // what a model computed tells which one it was

  // Its logits are those of the fake and `more`.
  static ModelSetup plus(const std::string& name, double more, std::string source_id = "") {
    ModelSetup its = setup(name, 5, {}, [more](FakeModel& model) {
      model.change = [more](std::vector<double>& logits) {
        for (double& logit : logits) {
          logit += more;
        }
      };
    });
    its.source_id = std::move(source_id);
    return its;
  }
  template <class... Setups>
  static std::vector<ModelSetup> all(Setups... setups) {
    std::vector<ModelSetup> models;
    (models.push_back(std::move(setups)), ...);
    return models;
  }
  double logit(const std::string& model) { return ask(model).answer.get().value().logits.at(0); }
};

const double kOwn = fake_logit("q", "a");

BOOST_FIXTURE_TEST_SUITE(replacing, Replacing)

BOOST_AUTO_TEST_CASE(models_come_and_go) {
  models = all(plus("a", 1));
  start();
  BOOST_TEST(logit("a") == kOwn + 1);
  BOOST_TEST(!manager->knows("b"));
  manager->set_models(all(plus("b", 2)));
  BOOST_TEST(manager->knows("b"));
  BOOST_TEST(!manager->knows("a"));
  BOOST_TEST(!manager->load("a"));
  BOOST_TEST(logit("b") == kOwn + 2);
  auto gone = ask("a");
  TEST_FAILURE(gone.answer, model_unavailable);
  witness.await("a", ModelState::unloaded);
  BOOST_TEST(manager->status().size() == 1U);
  manager->set_models(all(plus("a", 3), plus("b", 2)));
  BOOST_TEST(logit("a") == kOwn + 3);
  BOOST_TEST(witness.loads == 3);
}

BOOST_AUTO_TEST_CASE(one_that_stays_is_not_loaded_again) {
  models = all(plus("a", 1, "x"));
  start();
  BOOST_TEST(logit("a") == kOwn + 1);
  await_idle("a");
  auto same = plus("a", 7, "x");  // never asked for: the id says that it is the same
  same.idle_unload = seconds(5);
  manager->set_models(all(std::move(same)));
  BOOST_TEST(logit("a") == kOwn + 1);
  BOOST_TEST(witness.loads == 1);
  await_idle("a");
  clock_seconds = 10;
  manager->unload_idle();  // by the new limit
  witness.await("a", ModelState::unloaded);
}

BOOST_AUTO_TEST_CASE(a_replaced_one_ends_its_work_beside_the_new_one) {
  Gate computing;
  auto old = plus("a", 1, "old");
  old.source.load =
      [&](const std::string& device,
          model::LoadProgress&) -> tl::expected<std::unique_ptr<model::Model>, model::LoadError> {
    auto model = std::make_unique<FakeModel>();
    model->info_.device = device;
    model->on_logits = [&](auto) { computing.pass(); };
    return model;
  };
  models = all(std::move(old));
  start();
  auto under_way = ask("a");
  computing.arrived();
  manager->set_models(all(plus("a", 2, "new")));
  BOOST_TEST(logit("a") == kOwn + 2);
  BOOST_TEST(!under_way.answer.ready());
  BOOST_TEST(manager->status().size() == 1U);
  computing.open();
  BOOST_TEST(under_way.answer.get().value().logits.at(0) == kOwn);
  stop();  // before what its models refer to goes
}

BOOST_AUTO_TEST_CASE(who_waits_for_one_that_is_removed_while_it_loads_is_answered) {
  Gate loading;
  models = all(setup("a", 5, [&] { loading.pass(); }));
  start();
  auto waiting = ask("a");
  loading.arrived();
  manager->set_models({});
  BOOST_TEST(manager->status().empty());
  loading.open();
  TEST_SCORED(waiting, "q", "a");
  witness.await("a", ModelState::unloaded);
  stop();  // before what its models refer to goes
}

BOOST_AUTO_TEST_CASE(a_replaced_one_gives_its_room_to_the_new_one) {
  settings.memory_budget = 5;
  models = all(plus("a", 1, "old"));
  start();
  BOOST_TEST(logit("a") == kOwn + 1);
  manager->set_models(all(plus("a", 2, "new")));
  BOOST_TEST(logit("a") == kOwn + 2);
}

BOOST_AUTO_TEST_CASE(a_new_one_may_load_at_once_and_a_failed_one_is_forgotten) {
  auto broken = plus("a", 1, "broken");
  broken.source.load =
      [](const std::string&,
         model::LoadProgress&) -> tl::expected<std::unique_ptr<model::Model>, model::LoadError> {
    return tl::make_unexpected(model::LoadError{"no config.json"});
  };
  models = all(std::move(broken));
  start();
  auto failed = ask("a");
  TEST_FAILURE(failed.answer, model_unavailable);
  auto mended = plus("a", 1, "mended");
  mended.preload = true;
  manager->set_models(all(std::move(mended)));
  witness.await("a", ModelState::ready);
  BOOST_TEST(logit("a") == kOwn + 1);
}

// A program that is reloaded every minute for a year must not grow.
BOOST_AUTO_TEST_CASE(what_was_replaced_is_forgotten) {
  const auto watched = [](std::weak_ptr<int>& watch, const std::string& source_id) {
    auto its = plus("a", 1, source_id);
    const auto held = std::make_shared<int>();
    watch = held;
    its.source.load = [held, load = its.source.load](const std::string& device,
                                                     model::LoadProgress& progress) {
      return load(device, progress);
    };
    return its;
  };
  std::weak_ptr<int> never_loaded;
  std::weak_ptr<int> loaded;
  models = all(watched(never_loaded, "1"));
  start();
  manager->set_models(all(watched(loaded, "2")));
  BOOST_TEST(logit("a") == kOwn + 1);
  BOOST_TEST(!loaded.expired());
  manager->set_models(all(plus("a", 3, "3")));
  BOOST_TEST(never_loaded.expired());
  while (!loaded.expired()) {  // it leaves, and the next reload forgets it
    manager->set_models(all(plus("a", 3, "3")));
    std::this_thread::yield();
  }
  BOOST_TEST(logit("a") == kOwn + 3);
}

BOOST_AUTO_TEST_CASE(one_that_somebody_waits_for_is_not_forgotten) {
  Gate loading;
  models = all(setup("a", 5, [&] { loading.pass(); }));
  start();
  auto waiting = ask("a");
  loading.arrived();
  for (int reload = 0; reload < 3; ++reload) {
    manager->set_models(all(plus("b", 2)));
  }
  loading.open();
  TEST_SCORED(waiting, "q", "a");
  stop();  // before what its models refer to goes
}

BOOST_AUTO_TEST_CASE(after_the_shutdown_nothing_comes) {
  start();
  manager->shutdown();
  manager->set_models(all(plus("a", 1)));
  BOOST_TEST(!manager->knows("a"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qrerank::reranker::manager
