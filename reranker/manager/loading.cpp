// How models come and go: ordered, measured, read, drained, taken out. Who is given room is in
// giving_room.cpp.
#include <exception>

#include "reranker/manager/manager_core.hpp"

namespace qrerank::reranker::manager {
namespace {

using serving::between;

// What a source throws is a failed load like what it returns.
template <class Value, class Call>
tl::expected<Value, model::LoadError> guarded(Call call) {
  try {
    return call();
  } catch (const model::OutOfMemory&) {
    return tl::make_unexpected(
        model::LoadError{.message = "memory ran out while loading", .out_of_memory = true});
  } catch (const std::bad_alloc&) {
    return tl::make_unexpected(
        model::LoadError{.message = "memory ran out while loading", .out_of_memory = true});
  } catch (const std::exception& thrown) {
    return tl::make_unexpected(model::LoadError{.message = thrown.what()});
  }
}

ScoreFailure failure_of(const model::LoadError& error) {
  return error.out_of_memory ? ScoreFailure::out_of_memory : ScoreFailure::model_unavailable;
}

}  // namespace

bool ModelManager::Core::load(const std::string& model) {
  const std::lock_guard lock(mutex_);
  const auto known = places_.find(model);
  if (known == places_.end()) {
    return false;
  }
  order_load(known->second);
  return true;
}

void ModelManager::Core::order_load(const Place& place) {
  Slot& slot = *place;
  const auto arrival = slot.lifecycle.load_ordered();
  slot.unload_when_loaded = false;
  slot.ordered = arrival != ModelLifecycle::Arrival::proceed;
  if (arrival == ModelLifecycle::Arrival::start_load) {
    start_load(place);
  }
}

bool ModelManager::Core::unload(const std::string& model) {
  const std::lock_guard lock(mutex_);
  const auto known = places_.find(model);
  if (known == places_.end()) {
    return false;
  }
  Slot& slot = *known->second;
  slot.ordered = false;
  if (slot.lifecycle.state() == ModelState::loading) {
    slot.unload_when_loaded = true;
    ask_for_room();  // where it waits for room and nobody waits for it, it ends there
  } else {
    drain(known->second);
  }
  return true;
}

void ModelManager::Core::unload_idle() {
  const std::lock_guard lock(mutex_);
  for (const auto& slot : slots_) {
    check_idle(slot);
  }
}

void ModelManager::Core::check_idle(const Place& place) {
  Slot& slot = *place;
  if (slot.leases > 0 || slot.lifecycle.state() != ModelState::ready) {
    return;
  }
  if (slot.retired) {
    drain(place);  // a request that came as it was retired had it loaded once more
    return;
  }
  const auto limit = slot.idle_unload;
  if (limit <= Clock::duration::zero()) {
    return;
  }
  const auto idle = settings_.now() - slot.last_used;
  if (idle >= limit) {
    drain(place);
  } else if (!slot.idle_alarm) {
    // One alarm a model: a request on the way does not touch it, it looks again when it rings.
    slot.idle_alarm = true;
    timer_.schedule(Clock::now() + (limit - idle),
                    [weak = weak_from_this(), weak_place = std::weak_ptr(place)] {
                      const auto core = weak.lock();
                      if (const auto place = weak_place.lock(); core && place) {
                        const std::lock_guard lock(core->mutex_);
                        place->idle_alarm = false;
                        core->check_idle(place);
                      }
                    });
  }
}

void ModelManager::Core::drain(const Place& place) {
  Slot& slot = *place;
  if (slot.lifecycle.unload() && slot.leases == 0) {
    loaders_.post([this, place] { take_out(place); });
  }
  tell(slot);
}

void ModelManager::Core::start_load(const Place& place) {
  Slot& slot = *place;
  slot.stage = Stage::measuring;
  slot.progress.set(0);
  tell(slot);
  loaders_.post([this, place] { measure(place); });
}

void ModelManager::Core::measure(const Place& place) {
  Slot& slot = *place;
  const auto begin = Clock::now();
  auto needs = guarded<Needs>([&] { return slot.source.needs(); });
  if (needs && needs->empty()) {
    needs = tl::make_unexpected(model::LoadError{.message = "the source names no replica"});
  }
  if (!needs) {
    fail_load(place, failure_of(needs.error()), needs.error().message, between(begin, Clock::now()));
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    if (slot.stage != Stage::measuring) {
      return;  // closed
    }
    slot.stage = Stage::waiting_for_room;
    slot.needs = std::move(*needs);
    slot.room.clear();
    slot.turn = ++next_turn_;
  }
  give_room();
}

void ModelManager::Core::read(const Place& place) {
  Slot& slot = *place;
  const auto begin = Clock::now();
  Needs given;
  {
    const std::lock_guard lock(mutex_);
    given = slot.holds;
  }
  auto loaded = guarded<std::unique_ptr<serving::Engine>>(
      [&]() -> tl::expected<std::unique_ptr<serving::Engine>, model::LoadError> {
        serving::Engine::Replicas replicas;
        std::uint64_t read = 0;
        for (auto& replica : given) {
          auto model = slot.source.load(replica.device, slot.progress);
          if (!model) {
            return tl::make_unexpected(std::move(model.error()));
          }
          if (*model == nullptr) {
            return tl::make_unexpected(model::LoadError{.message = "the loader gave no model"});
          }
          replica.bytes = (*model)->info().weight_bytes;
          replicas.push_back(std::move(*model));
          read += replica.file_bytes;
          slot.progress.set(read);  // also where its family leaves some of the tensors unread
        }
        const scheduler::SchedulerSettings settings{.token_budget = token_budget(replicas),
                                                    .batch_time = settings_.batch_time,
                                                    .max_queued_texts = settings_.max_queued_texts,
                                                    .max_queued_tokens = settings_.max_queued_tokens};
        return std::make_unique<serving::Engine>(slot.name, std::move(replicas), settings, slot.desk, cache_,
                                                 timer_, observer_);
      });
  const auto took = between(begin, Clock::now());
  if (!loaded) {
    fail_load(place, failure_of(loaded.error()), loaded.error().message, took);
    return;
  }
  observer_.load_finished(slot.name, true, "", took);
  std::vector<std::pair<serving::RequestPtr, std::shared_ptr<serving::Engine>>> starting;
  {
    const std::lock_guard lock(mutex_);
    if (slot.stage != Stage::reading) {
      return;  // closed
    }
    slot.stage = Stage::none;
    slot.holds = std::move(given);
    slot.engine = std::move(*loaded);
    if (slot.kind == ModelKind::embedding) {
      slot.width = slot.engine->info().width;
    }
    slot.ordered = false;
    slot.last_used = settings_.now();
    slot.lifecycle.load_succeeded();
    for (serving::RequestPtr& request : slot.desk->waiting()) {
      starting.emplace_back(std::move(request), lease(place));
    }
    tell(slot);
    if (std::exchange(slot.unload_when_loaded, false)) {
      drain(place);
    } else {
      check_idle(place);
    }
  }
  for (auto& [request, engine] : starting) {
    start(request, std::move(engine));
  }
  give_room();  // it may weigh less than it was thought to
}

void ModelManager::Core::fail_load(const Place& place, ScoreFailure failure, const std::string& message,
                                   Microseconds took) {
  Slot& slot = *place;
  observer_.load_finished(slot.name, false, message, took);
  std::vector<serving::RequestPtr> waited;
  {
    const std::lock_guard lock(mutex_);
    slot.stage = Stage::none;
    slot.holds.clear();
    slot.ordered = false;
    slot.unload_when_loaded = false;
    slot.lifecycle.load_failed(failure, message, settings_.now());
    tell(slot);
    waited = slot.desk->waiting();
  }
  for (const serving::RequestPtr& request : waited) {
    Timings timings;
    timings.queue = between(request->submitted, Clock::now());
    slot.desk->finish(request, tl::make_unexpected(ScoreError{failure, message, timings}));
  }
  give_room();  // what it was given is free again
}

void ModelManager::Core::take_out(const Place& place) {
  Slot& slot = *place;
  std::unique_ptr<serving::Engine> engine;
  {
    const std::lock_guard lock(mutex_);
    engine = std::move(slot.engine);
  }
  engine.reset();  // waits for a batch that nobody waits for any more
  {
    const std::lock_guard lock(mutex_);
    if (slot.lifecycle.closed()) {
      return;
    }
    slot.holds.clear();
    if (slot.lifecycle.drained()) {
      start_load(place);
    } else {
      tell(slot);
    }
  }
  give_room();
}

}  // namespace qrerank::reranker::manager
