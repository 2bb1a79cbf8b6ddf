#include "reranker/manager/manager_core.hpp"

#include <algorithm>

namespace qrerank::reranker::manager {
namespace {

constexpr std::size_t kLoaderThreads = 2;

tl::unexpected<ScoreError> error(ScoreFailure failure, std::string message) {
  return tl::make_unexpected(ScoreError{failure, std::move(message), {}});
}

std::uint64_t sum(const Needs& needs) {
  std::uint64_t bytes = 0;
  for (const auto& need : needs) {
    bytes += need.bytes;
  }
  return bytes;
}

// "cpu", "cuda:0,cuda:1"; each device once.
std::string devices_of(const Needs& needs) {
  std::string all;
  std::string last;
  for (const auto& need : needs) {
    if (need.device != last) {
      all += (all.empty() ? "" : ",") + need.device;
      last = need.device;
    }
  }
  return all;
}

}  // namespace

ModelManager::Core::Core(ManagerSettings settings, std::shared_ptr<ScoreCache> cache, Observer& observer)
    : settings_(std::move(settings)),
      cache_(std::move(cache)),
      vectors_(settings_.vector_cache_bytes),
      observer_(observer),
      loaders_(kLoaderThreads),
      tokenizers_(settings_.tokenizer_threads) {}

ModelManager::Core::Place ModelManager::Core::find(const std::string& model) const {
  const std::lock_guard lock(mutex_);
  const auto known = places_.find(model);
  return known == places_.end() ? nullptr : known->second;
}

bool ModelManager::Core::knows(const std::string& model) const {
  return find(model) != nullptr;
}

ScoreTicket ModelManager::Core::submit(ModelKind kind, ScoreRequest asked, ScoreCompletion done) {
  const Place place = find(asked.model);
  if (place == nullptr) {
    done(error(ScoreFailure::model_unavailable, "unknown model " + asked.model));
    return {};
  }
  if (place->kind != kind) {
    done(error(ScoreFailure::model_unavailable,
               asked.model + " is no " + std::string(to_string(kind)) + " model"));
    return {};
  }
  if (asked.texts.empty()) {
    done(ScoreSet{});
    return {};
  }
  if (asked.deadline <= Clock::now()) {
    done(error(ScoreFailure::timeout, "the deadline passed before scoring began"));
    return {};
  }
  Slot& slot = *place;
  const serving::RequestPtr request = slot.desk->admit(std::move(asked), std::move(done));
  if (!request) {
    return {};
  }
  ScoreTicket ticket = slot.desk->ticket(request);
  std::shared_ptr<serving::Engine> engine;
  ScoreError refusal;
  std::unique_lock lock(mutex_);
  const auto arrival = slot.lifecycle.request_arrived(settings_.now());
  switch (arrival) {
    case ModelLifecycle::Arrival::proceed:
      engine = lease(place);
      break;
    case ModelLifecycle::Arrival::start_load:
      start_load(place);
      break;
    case ModelLifecycle::Arrival::refuse:
      refusal = slot.lifecycle.refusal();
      break;
    case ModelLifecycle::Arrival::wait:
      break;
  }
  lock.unlock();
  if (engine) {
    start(request, std::move(engine));
  } else if (arrival == ModelLifecycle::Arrival::refuse) {
    slot.desk->finish(request, tl::make_unexpected(std::move(refusal)));
  }
  return ticket;
}

std::shared_ptr<serving::Engine> ModelManager::Core::lease(const Place& place) {
  Slot& slot = *place;
  ++slot.leases;
  return {slot.engine.get(), [weak = weak_from_this(), place](serving::Engine*) {
            if (const auto core = weak.lock()) {
              core->returned(place);
            }
          }};
}

void ModelManager::Core::returned(const Place& place) {
  const std::lock_guard lock(mutex_);
  Slot& slot = *place;
  slot.last_used = settings_.now();
  if (--slot.leases > 0) {
    return;
  }
  if (slot.lifecycle.state() == ModelState::draining) {
    loaders_.post([this, place] { take_out(place); });
    return;
  }
  check_idle(place);
  for (const auto& other : slots_) {
    if (other->stage == Stage::waiting_for_room) {
      ask_for_room();  // it may take this model's
      return;
    }
  }
}

// A stopped pool drops it: the shutdown has answered by then.
void ModelManager::Core::start(const serving::RequestPtr& request, std::shared_ptr<serving::Engine> engine) {
  serving::Engine& its = *engine;
  if (its.desk().start(request, std::move(engine))) {
    tokenizers_.post([request] { request->engine->serve(request); });
  }
}

ScoreError ModelManager::Core::why_waiting(const Place& place) const {
  const std::lock_guard lock(mutex_);
  const Slot& slot = *place;
  if (slot.stage == Stage::waiting_for_room && !slot.room.empty()) {
    return {ScoreFailure::out_of_memory, "no room for the model in time: " + slot.room, {}};
  }
  return {ScoreFailure::model_unavailable, "still loading when the time limit came", {}};
}

std::vector<ModelStatus> ModelManager::Core::status() const {
  std::vector<ModelStatus> all;
  const std::lock_guard lock(mutex_);
  const auto now = settings_.now();
  for (const auto& slot : slots_) {
    if (slot->retired) {
      continue;
    }
    ModelStatus status;
    status.name = slot->name;
    status.kind = slot->kind;
    status.state = slot->lifecycle.state();
    status.detail = slot->stage == Stage::waiting_for_room ? slot->room : slot->lifecycle.detail();
    status.waiting = slot->desk->size();
    status.device = devices_of(slot->holds);
    status.loading = progress_of(*slot);
    status.width = slot->width;
    if (slot->engine) {
      const model::ModelInfo& info = slot->engine->info();
      status.family = info.family;
      status.dtype = info.dtype;
      status.bytes = sum(slot->holds);
      status.replicas = slot->holds.size();
      if (slot->leases == 0) {
        status.idle = std::chrono::duration_cast<std::chrono::seconds>(now - slot->last_used);
      }
    }
    all.push_back(std::move(status));
  }
  return all;
}

std::optional<BytesRead> ModelManager::Core::progress_of(const Slot& slot) const {
  if (slot.lifecycle.state() != ModelState::loading) {
    return std::nullopt;
  }
  BytesRead bytes;
  for (const auto& replica : slot.stage == Stage::waiting_for_room ? slot.needs : slot.holds) {
    bytes.total += replica.file_bytes;
  }
  bytes.read = std::min(slot.progress.read(), bytes.total);
  return bytes.total > 0 ? std::optional(bytes) : std::nullopt;
}

void ModelManager::Core::tell(const Slot& slot) {
  // What takes a retired one's place speaks for the name.
  if (!slot.retired || !places_.contains(slot.name)) {
    observer_.model_changed(slot.name, slot.lifecycle.state(), sum(slot.holds));
  }
}

void ModelManager::Core::shutdown() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;  // slots_ stays as it is from here on
    for (const auto& slot : slots_) {
      slot->lifecycle.close();
      slot->stage = Stage::none;
      tell(*slot);
    }
  }
  for (const auto& slot : slots_) {
    slot->desk->close();
  }
  // Reverse of construction, and of the way that a request goes. With both pools stopped nobody uses an
  // engine, whatever leases are still out.
  loaders_.stop();
  tokenizers_.stop();
  for (const auto& slot : slots_) {
    std::unique_ptr<serving::Engine> engine;
    {
      const std::lock_guard lock(mutex_);
      engine = std::move(slot->engine);
    }
    if (engine) {
      engine->shutdown();
    }
  }
  timer_.stop();
}

}  // namespace qrerank::reranker::manager
