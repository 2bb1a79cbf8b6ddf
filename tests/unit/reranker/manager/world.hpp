// A manager of fake models for tests: who is asked, what is observed, a clock turned by hand.
#pragma once

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "reranker/manager/model_manager.hpp"
#include "tests/unit/reranker/fake_model.hpp"

namespace qrerank::reranker::manager {

/// Counts events, and waits for a model's state instead of sleeping.
class Witness : public Observer {
 public:
  std::atomic<std::size_t> hits = 0;
  std::atomic<std::size_t> misses = 0;
  std::atomic<int> loads = 0;
  std::atomic<int> failed_loads = 0;
  std::atomic<std::size_t> items = 0;
  std::atomic<std::size_t> budget = 0;  // of the last batch

  void batch_formed(const std::string&, const BatchReport& batch) override {
    items += batch.items;
    budget = batch.budget;
  }
  void cache_looked_up(const std::string&, std::size_t found, std::size_t missed) override {
    hits += found;
    misses += missed;
  }
  void load_finished(const std::string&, bool loaded, const std::string&, Microseconds) override {
    ++(loaded ? loads : failed_loads);
  }
  void model_changed(const std::string& model, ModelState state, std::uint64_t bytes) override {
    const std::lock_guard lock(mutex_);
    const bool first = !seen_.contains(model);
    Seen& its = seen_[model];
    its.looked_at += first ? 1 : 0;  // how it begins is nothing to wait for
    if (its.states.empty() || its.states.back() != state) {
      its.states.push_back(state);
    }
    its.bytes = bytes;
    std::uint64_t together = 0;
    for (const auto& [name, model_seen] : seen_) {
      together += model_seen.bytes;
    }
    most_bytes_ = std::max(most_bytes_, together);
    changed_.notify_all();
  }

  /// Until the model is in this state, or was since the last call.
  void await(const std::string& model, ModelState state) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] {
      Seen& its = seen_[model];
      while (its.looked_at < its.states.size()) {
        if (its.states[its.looked_at++] == state) {
          return true;
        }
      }
      return !its.states.empty() && its.states.back() == state;
    });
  }
  std::vector<ModelState> states(const std::string& model) {
    const std::lock_guard lock(mutex_);
    return seen_[model].states;
  }
  std::uint64_t most_bytes() {
    const std::lock_guard lock(mutex_);
    return most_bytes_;
  }

 private:
  struct Seen {
    std::vector<ModelState> states;
    std::size_t looked_at = 0;
    std::uint64_t bytes = 0;
  };
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, Seen> seen_;
  std::uint64_t most_bytes_ = 0;  // of all models together
};

struct World {
  Witness witness;
  std::shared_ptr<ScoreCache> cache = std::make_shared<ScoreCache>();
  ManagerSettings settings;
  std::atomic<std::int64_t> clock_seconds = 0;
  std::vector<ModelSetup> models;
  std::optional<ModelManager> manager;

  World() {
    settings.load_timeout = std::chrono::hours(1);
    settings.batch_time = Clock::duration::zero();  // no timing decides what a test sees
    settings.now = [this] { return Clock::time_point(std::chrono::seconds(clock_seconds)); };
  }
  ~World() { stop(); }
  void start() { manager.emplace(std::move(models), settings, cache, witness); }
  void stop() { manager.reset(); }

  /// One replica on the CPU that weighs `bytes`.
  static ModelSetup setup(std::string name, std::uint64_t bytes, std::function<void()> on_load = {},
                          std::function<void(FakeModel&)> prepare = {}) {
    ModelSetup its;
    its.name = std::move(name);
    its.source.needs = [bytes] { return std::vector<model::ReplicaNeed>{{"cpu", bytes}}; };
    its.source.load =
        [bytes, on_load = std::move(on_load), prepare = std::move(prepare)](
            const std::string& device,
            model::LoadProgress&) -> tl::expected<std::unique_ptr<model::Model>, model::LoadError> {
      if (on_load) {
        on_load();
      }
      auto model = std::make_unique<FakeModel>();
      model->info_.weight_bytes = bytes;
      model->info_.device = device;
      if (prepare) {
        prepare(*model);
      }
      return model;
    };
    return its;
  }

  struct Asked {
    Answer<ScoreResult> answer;
    ScoreTicket ticket;
  };
  Asked ask(const std::string& model, std::vector<std::string> texts = {"a"},
            Clock::time_point deadline = Clock::time_point::max(), std::string query = "q",
            std::string instruction = "") {
    ScoreRequest request;
    request.model = model;
    request.query = std::move(query);
    request.instruction = std::move(instruction);
    request.texts = std::move(texts);
    request.deadline = deadline;
    Asked asked;
    asked.ticket = manager->submit(std::move(request), asked.answer.completion());
    return asked;
  }

  /// An answer comes a moment before its request lets go of the model.
  void await_idle(const std::string& model) {
    while (!status(model).idle.has_value()) {
      std::this_thread::yield();
    }
  }

  ModelStatus status(const std::string& model) {
    for (ModelStatus& status : manager->status()) {
      if (status.name == model) {
        return std::move(status);
      }
    }
    BOOST_FAIL("no model " + model);
    return {};
  }
};

inline ScoreError error_of(Answer<ScoreResult>& answer) {
  const ScoreResult result = answer.get();
  BOOST_REQUIRE(!result.has_value());
  return result.error();
}

#define TEST_FAILURE(answer, expected) BOOST_TEST((error_of(answer).failure == ScoreFailure::expected))
#define TEST_SCORED(asked, query, text) \
  BOOST_TEST((asked).answer.get().value().logits.at(0) == fake_logit(query, text))

}  // namespace qrerank::reranker::manager
