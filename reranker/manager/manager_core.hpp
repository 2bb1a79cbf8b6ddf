// The state behind ModelManager: one mutex, one slot for each model. Private to this room; requests and
// status are in manager_core.cpp, loading and unloading in loading.cpp.
#pragma once

#include <map>
#include <mutex>
#include <utility>

#include "reranker/manager/model_lifecycle.hpp"
#include "reranker/manager/model_manager.hpp"
#include "reranker/manager/room_plan.hpp"
#include "reranker/scheduler/deadline_timer.hpp"
#include "reranker/scheduler/worker_pool.hpp"
#include "reranker/serving/engine.hpp"
#include "reranker/serving/request_desk.hpp"

namespace qrerank::reranker::manager {

class ModelManager::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(ManagerSettings settings, std::shared_ptr<ScoreCache> cache, Observer& observer);
  /// Once, before anything else.
  void add_models(std::vector<ModelSetup> models);

  ScoreTicket submit(ScoreRequest request, ScoreCompletion done);
  bool knows(const std::string& model) const { return places_.contains(model); }
  std::vector<ModelStatus> status() const;
  bool load(const std::string& model);
  bool unload(const std::string& model);
  void unload_idle();
  void shutdown();

 private:
  /// How far a load has come.
  enum class Stage { none, measuring, waiting_for_room, reading };

  struct Slot {
    Slot(ModelSetup setup_, Clock::duration load_retry) : setup(std::move(setup_)), lifecycle(load_retry) {}

    const ModelSetup setup;
    std::shared_ptr<serving::RequestDesk> desk;  // const once made

    // Guarded by the mutex.
    ModelLifecycle lifecycle;
    std::unique_ptr<serving::Engine> engine;  // ready or draining; while it has leases it stays
    std::size_t leases = 0;                   // requests that may use the engine
    Stage stage = Stage::none;
    bool ordered = false;  // to be loaded though no request waits
    bool unload_when_loaded = false;
    Needs needs;                    // of a load that waits for room
    Needs holds;                    // what is given to it: reading, ready, draining
    std::string room;               // why it waits for room
    std::uint64_t turn = 0;         // in the queue for room
    Clock::time_point last_used{};  // or when it was loaded
    bool idle_alarm = false;        // will ring
  };

  using Place = std::size_t;  // in slots_

  // With the mutex held.
  std::shared_ptr<serving::Engine> lease(Place place);
  void start_load(Place place);
  void drain(Place place);
  void ask_for_room();
  void check_idle(Place place);
  void tell(const Slot& slot);
  [[nodiscard]] std::vector<Holder> holders() const;
  [[nodiscard]] std::uint64_t limit_of(const std::string& device) const;

  // Without.
  void start(const serving::RequestPtr& request, std::shared_ptr<serving::Engine> engine);
  void returned(Place place);
  [[nodiscard]] ScoreError why_waiting(Place place) const;

  // On a loader thread.
  void measure(Place place);
  void give_room();
  void read(Place place);
  void take_out(Place place);
  void fail_load(Place place, ScoreFailure failure, const std::string& message, Microseconds took);
  [[nodiscard]] std::size_t token_budget(const serving::Engine::Replicas& replicas) const;

  const ManagerSettings settings_;
  const std::shared_ptr<ScoreCache> cache_;
  Observer& observer_;
  std::vector<std::unique_ptr<Slot>> slots_;  // const once made
  std::map<std::string, Place> places_;

  mutable std::mutex mutex_;  // guards the slots' insides and these
  std::uint64_t next_turn_ = 0;
  bool room_asked_ = false;  // give_room is posted

  scheduler::DeadlineTimer timer_;
  scheduler::WorkerPool loaders_;
  scheduler::WorkerPool tokenizers_;
};

}  // namespace qrerank::reranker::manager
