// Everything at once: for the sanitizers, and for the one promise that every request is answered.
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <random>
#include <thread>

#include "tests/unit/reranker/manager/world.hpp"

namespace qrerank::reranker::manager {
namespace {

using Needs = std::vector<model::ReplicaNeed>;
using std::chrono::microseconds;
using std::chrono::milliseconds;

const std::vector<std::string> kNames = {"a", "b", "c"};

// Answers that must come, one for each request that was sent.
struct Tally {
  std::atomic<int> submitted = 0;
  std::atomic<int> completed = 0;
  std::atomic<int> scored = 0;
};

// Three models, of which two fit at a time; some loads fail, some batches run out of memory.
std::vector<ModelSetup> three_models() {
  std::vector<ModelSetup> models;
  for (const std::string& name : kNames) {
    const auto failing = [loads = std::make_shared<std::atomic<int>>(0)] {
      if ((*loads)++ % 3 == 1) {
        throw std::runtime_error("every third load fails");
      }
    };
    ModelSetup its = World::setup(name, 5, failing, [](FakeModel& model) {
      model.on_logits = [calls = 0](FakeModel::Items) mutable {
        if (++calls % 50 == 0) {
          throw model::OutOfMemory{};
        }
      };
    });
    its.source.needs = [] { return Needs{{"cpu", 5}, {"cpu", 5}}; };
    its.idle_unload = std::chrono::seconds(1);
    models.push_back(std::move(its));
  }
  return models;
}

// As a reload of the configuration would: one is gone, others are replaced, now and then.
std::vector<ModelSetup> other_models(std::mt19937& random) {
  auto models = three_models();
  for (ModelSetup& its : models) {
    its.source_id = std::to_string(random() % 2);
    its.preload = random() % 4 == 0;
  }
  if (random() % 2 == 0) {
    models.erase(models.begin() + static_cast<std::ptrdiff_t>(random() % models.size()));
  }
  return models;
}

// In the later rounds the models themselves come and go.
struct Storm : World {
  const bool models_change;

  explicit Storm(unsigned round) : models_change(round >= 6) {
    cache = std::make_shared<ScoreCache>(40 * ScoreCache::kEntryBytes);
    settings.token_budget = 20;
    settings.max_queued_texts = 200;
    settings.memory_budget = 25;
    settings.load_retry = std::chrono::seconds(round % 2);
    settings.load_timeout = milliseconds(1 + 50 * (round % 3));
    models = three_models();
  }
};

// One client: submits, cancels, lets deadlines pass, gives orders, looks.
void client(Storm& world, Tally& tally, unsigned seed, int requests) {
  std::mt19937 random(seed);
  std::vector<ScoreTicket> kept;
  for (int i = 0; i < requests; ++i) {
    const std::string& model = kNames[random() % kNames.size()];
    ScoreRequest request;
    request.model = model;
    request.query = "q";
    std::vector<double> wanted;
    for (std::size_t text = random() % 6; text-- > 0;) {
      request.texts.push_back("w" + std::to_string(random() % 90) + (random() % 2 == 0 ? " x y" : ""));
      wanted.push_back(fake_logit("q", request.texts.back()));
    }
    if (random() % 4 == 0) {
      request.deadline = Clock::now() + microseconds(random() % 400);
    }
    ++tally.submitted;
    ScoreTicket ticket = world.manager->submit(std::move(request), [&tally, wanted](ScoreResult result) {
      if (result && result->logits != wanted) {
        std::abort();
      }
      tally.scored += result ? 1 : 0;
      ++tally.completed;
    });
    if (random() % 3 != 0) {
      kept.push_back(std::move(ticket));
    }
    switch (random() % 12) {
      case 0:
        world.manager->unload(model);
        break;
      case 1:
        world.manager->load(model);
        break;
      case 2:
        ++world.clock_seconds;
        world.manager->unload_idle();
        break;
      case 3:
        kept.clear();
        break;
      case 4:
        if (world.models_change) {
          world.manager->set_models(other_models(random));
        }
        break;
      default:
        (void)world.manager->status();
    }
  }
}

BOOST_AUTO_TEST_SUITE(storms)

BOOST_AUTO_TEST_CASE(load_unload_score_cancel_shutdown) {
  int scored = 0;
  for (unsigned round = 0; round < 12; ++round) {
    Storm world(round);
    world.start();
    Tally tally;
    std::vector<std::thread> threads;
    for (unsigned seed = 0; seed < 5; ++seed) {
      threads.emplace_back([&, seed] {
        client(world, tally, 10 * round + seed, 120);
        if (seed == 0 && round % 2 == 0) {
          world.manager->shutdown();  // in the middle of the others
        }
      });
    }
    for (auto& thread : threads) {
      thread.join();
    }
    world.stop();
    BOOST_TEST(tally.completed.load() == tally.submitted.load());
    BOOST_TEST(world.witness.most_bytes() <= 25U);
    scored += tally.scored;
  }
  BOOST_TEST(scored > 0);
}

// Nothing is in the way but too little room: each request gets its scores in the end.
BOOST_AUTO_TEST_CASE(models_that_take_turns_answer_all) {
  World world;
  world.settings.memory_budget = 10;
  for (const std::string& name : kNames) {
    world.models.push_back(World::setup(name, 10));
  }
  world.start();
  std::vector<std::thread> threads;
  std::atomic<int> scored = 0;
  for (const std::string& name : kNames) {
    threads.emplace_back([&, name] {
      for (int i = 0; i < 40; ++i) {
        auto asked = world.ask(name, {std::to_string(i)});
        scored += asked.answer.get().has_value() ? 1 : 0;
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  BOOST_TEST(scored == 120);
  BOOST_TEST(world.witness.most_bytes() == 10U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qrerank::reranker::manager
