// The state behind ModelManager: one mutex, one slot for each model. Private to this room; requests and
// status are in manager_core.cpp, vectors in embedding.cpp, loading and unloading in loading.cpp and
// giving_room.cpp, models that come and go by configuration in replacing.cpp.
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
#include "reranker/vector_cache.hpp"

namespace qrerank::reranker::manager {

class ModelManager::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(ManagerSettings settings, std::shared_ptr<ScoreCache> cache, Observer& observer);
  void set_models(std::vector<ModelSetup> models);

  ScoreTicket submit(ModelKind kind, ScoreRequest request, ScoreCompletion done);
  ScoreTicket embed(EmbedRequest request, EmbedCompletion done);
  bool knows(const std::string& model) const;
  std::vector<ModelStatus> status() const;
  bool load(const std::string& model);
  bool unload(const std::string& model);
  void unload_idle();
  void shutdown();

 private:
  /// How far a load has come.
  enum class Stage { none, measuring, waiting_for_room, reading };

  struct Slot {
    Slot(ModelSetup setup, Clock::duration load_retry)
        : name(std::move(setup.name)),
          kind(setup.kind),
          source(std::move(setup.source)),
          source_id(std::move(setup.source_id)),
          idle_unload(setup.idle_unload),
          width(setup.width),
          lifecycle(load_retry) {}

    const std::string name;
    const ModelKind kind;
    const ModelSource source;
    const std::string source_id;
    std::shared_ptr<serving::RequestDesk> desk;  // const once made
    model::LoadProgress progress;                // of the load under way

    // Guarded by the mutex.
    Clock::duration idle_unload;
    std::size_t width;     // of its vectors, once known
    bool retired = false;  // no longer configured under this source: goes once it is idle
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

  // Whoever comes back to a slot without the mutex held holds it; a retired one goes when nobody does.
  using Place = std::shared_ptr<Slot>;

  // With the mutex held.
  std::shared_ptr<serving::Engine> lease(const Place& place);
  void start_load(const Place& place);
  void drain(const Place& place);
  void ask_for_room();
  void check_idle(const Place& place);
  void tell(const Slot& slot);
  [[nodiscard]] std::optional<BytesRead> progress_of(const Slot& slot) const;
  Place add(ModelSetup setup);
  void retire(const Place& place);
  void forget_retired();
  void order_load(const Place& place);
  [[nodiscard]] std::vector<Holder> holders() const;
  [[nodiscard]] std::uint64_t limit_of(const std::string& device) const;

  // Without.
  [[nodiscard]] Place find(const std::string& model) const;
  void start(const serving::RequestPtr& request, std::shared_ptr<serving::Engine> engine);
  void returned(const Place& place);
  [[nodiscard]] std::string recipe_of(const std::string& model) const;
  [[nodiscard]] ScoreError why_waiting(const Place& place) const;

  // On a loader thread.
  void measure(const Place& place);
  void give_room();
  void read(const Place& place);
  void take_out(const Place& place);
  void fail_load(const Place& place, ScoreFailure failure, const std::string& message, Microseconds took);
  [[nodiscard]] std::size_t token_budget(const serving::Engine::Replicas& replicas) const;

  const ManagerSettings settings_;
  const std::shared_ptr<ScoreCache> cache_;
  VectorCache vectors_;
  Observer& observer_;

  mutable std::mutex mutex_;  // guards the slots' insides and these
  std::vector<Place> slots_;
  std::map<std::string, Place> places_;  // those that are not retired
  bool closed_ = false;
  std::uint64_t next_turn_ = 0;
  bool room_asked_ = false;  // give_room is posted

  scheduler::DeadlineTimer timer_;
  scheduler::WorkerPool loaders_;
  scheduler::WorkerPool tokenizers_;
};

}  // namespace qrerank::reranker::manager
