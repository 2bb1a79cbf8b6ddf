// Which models there are: what the configuration said first, and what it says after a reload.
#include <algorithm>

#include "reranker/manager/manager_core.hpp"

namespace qrerank::reranker::manager {

void ModelManager::Core::set_models(std::vector<ModelSetup> models) {
  const std::lock_guard lock(mutex_);
  if (closed_) {
    return;
  }
  forget_retired();
  std::vector<Place> gone;
  for (const auto& [name, place] : places_) {
    const auto now = std::ranges::find(models, name, &ModelSetup::name);
    if (now == models.end() || now->source_id != place->source_id) {
      gone.push_back(place);
    }
  }
  for (const Place& place : gone) {
    retire(place);
  }
  for (ModelSetup& setup : models) {
    const bool preload = setup.preload;
    const auto known = places_.find(setup.name);
    const Place place = known == places_.end() ? add(std::move(setup)) : known->second;
    if (known != places_.end()) {
      place->idle_unload = setup.idle_unload;
      if (place->width == 0) place->width = setup.width;  // its files may have come meanwhile
      check_idle(place);
    }
    if (preload) {
      order_load(place);
    }
  }
}

ModelManager::Core::Place ModelManager::Core::add(ModelSetup setup) {
  const Place place = slots_.emplace_back(std::make_shared<Slot>(std::move(setup), settings_.load_retry));
  const serving::DeskLimits limits{.max_texts = settings_.max_queued_texts,
                                   .max_bytes = settings_.max_queued_bytes,
                                   .load_timeout = settings_.load_timeout};
  place->desk = std::make_shared<serving::RequestDesk>(
      limits, timer_, [weak = weak_from_this(), weak_place = std::weak_ptr(place)] {
        const auto core = weak.lock();
        const auto place = weak_place.lock();
        return core && place ? core->why_waiting(place)
                             : ScoreError{ScoreFailure::model_unavailable, "shut down", {}};
      });
  places_.emplace(place->name, place);
  tell(*place);
  return place;
}

// Its requests are served as if nothing had happened, also those that still wait for it to be loaded.
void ModelManager::Core::retire(const Place& place) {
  places_.erase(place->name);
  place->retired = true;
  place->ordered = false;
  if (place->lifecycle.state() == ModelState::loading) {
    place->unload_when_loaded = true;
    ask_for_room();  // where it waits for room and nobody waits for it, it ends there
  } else {
    drain(place);
  }
}

// Of earlier reloads: those whose model has left, for whom no request waits and to whom nobody will come
// back.
void ModelManager::Core::forget_retired() {
  std::erase_if(slots_, [](const Place& place) {
    const ModelState state = place->lifecycle.state();
    const bool left = state == ModelState::unloaded || state == ModelState::failed;
    return place->retired && left && place->desk->size() == 0 && place.use_count() == 1;
  });
}

}  // namespace qrerank::reranker::manager
