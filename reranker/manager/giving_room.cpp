// Who may be read into memory, who has to go for it, and how much of it batches may take. The plan itself is
// pure and in room_plan.cpp.
#include <algorithm>
#include <limits>

#include "reranker/manager/manager_core.hpp"

namespace qrerank::reranker::manager {
namespace {

// Of the machine's memory, what is left alone where no budget is set: one part in so many.
constexpr std::uint64_t kReserve = 10;

}  // namespace

void ModelManager::Core::ask_for_room() {
  if (!std::exchange(room_asked_, true)) {
    loaders_.post([this] { give_room(); });
  }
}

// To those who wait for it, in their order; one who has to wait longer does not hold up a smaller one.
void ModelManager::Core::give_room() {
  std::vector<std::pair<Place, std::string>> hopeless;
  {
    const std::lock_guard lock(mutex_);
    room_asked_ = false;
    std::vector<Place> queue;
    for (const auto& slot : slots_) {
      if (slot->stage == Stage::waiting_for_room) {
        queue.push_back(slot);
      }
    }
    std::ranges::sort(queue, {}, &Slot::turn);
    for (const Place& place : queue) {
      Slot& slot = *place;
      if (!slot.ordered && !slot.desk->anyone_waits()) {
        slot.stage = Stage::none;
        slot.unload_when_loaded = false;
        slot.lifecycle.load_abandoned();
        tell(slot);
        continue;
      }
      RoomPlan plan =
          plan_room(slot.needs, holders(), [this](const std::string& device) { return limit_of(device); });
      slot.room = std::move(plan.why);
      switch (plan.verdict) {
        case RoomPlan::Verdict::fits:
          slot.stage = Stage::reading;
          slot.holds = std::move(slot.needs);
          tell(slot);
          loaders_.post([this, place] { read(place); });
          break;
        case RoomPlan::Verdict::never:
          slot.stage = Stage::none;
          hopeless.emplace_back(place, "no room for the model: " + slot.room);
          break;
        case RoomPlan::Verdict::unload:
          for (const std::size_t idle : plan.unload) {
            drain(slots_[idle]);
          }
          break;
        case RoomPlan::Verdict::wait:
          break;
      }
    }
  }
  for (const auto& [place, why] : hopeless) {
    fail_load(place, ScoreFailure::out_of_memory, why, Microseconds(0));
  }
}

std::vector<Holder> ModelManager::Core::holders() const {
  std::vector<Holder> all;
  for (std::size_t index = 0; index < slots_.size(); ++index) {
    const Slot& slot = *slots_[index];
    if (slot.holds.empty()) {
      continue;
    }
    auto state = slot.leases == 0 ? Holder::State::idle : Holder::State::busy;
    if (slot.stage == Stage::reading) {
      state = Holder::State::loading;
    } else if (slot.lifecycle.state() == ModelState::draining) {
      state = Holder::State::leaving;
    }
    all.push_back({index, slot.holds, state, slot.last_used});
  }
  return all;
}

std::uint64_t ModelManager::Core::limit_of(const std::string& device) const {
  const std::uint64_t budget = device == "cpu" ? settings_.memory_budget : settings_.gpu_memory_budget;
  if (budget > 0) {
    return budget;
  }
  const auto memory = settings_.memory ? settings_.memory(device) : std::nullopt;
  if (!memory) {
    return std::numeric_limits<std::uint64_t>::max();
  }
  // What our models hold is no longer free, but ours to give. Of one that is still loading nobody knows how
  // much has been taken.
  std::uint64_t held = 0;
  for (const auto& slot : slots_) {
    for (const auto& replica : slot->holds) {
      held += slot->engine && replica.device == device ? replica.bytes : 0;
    }
  }
  const std::uint64_t reserve = memory->total / kReserve;
  return held + memory->free - std::min(memory->free, reserve);
}

std::size_t ModelManager::Core::token_budget(const serving::Engine::Replicas& replicas) const {
  std::size_t tokens = settings_.token_budget;
  for (const auto& replica : replicas) {
    const model::ModelInfo& info = replica->info();
    const auto neighbours = static_cast<std::size_t>(std::ranges::count_if(
        replicas, [&](const auto& other) { return other->info().device == info.device; }));
    if (const auto memory = settings_.memory ? settings_.memory(info.device) : std::nullopt) {
      tokens = std::min(tokens, affordable_tokens(memory->free, info.activation_bytes_per_token, neighbours));
    }
  }
  return tokens;
}

}  // namespace qrerank::reranker::manager
