// Whether there is room for a model, and which others must go for it. Pure: no files, devices, locks or
// clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "reranker/model/placement.hpp"
#include "reranker/types.hpp"

namespace qrerank::reranker::manager {

using Needs = std::vector<model::ReplicaNeed>;  ///< one per replica

/// A model that has memory, as the planner sees it.
struct Holder {
  enum class State {
    idle,     ///< loaded, and no request needs it
    busy,     ///< loaded
    loading,  ///< room was given to it
    leaving,  ///< draining: its memory comes free by itself
  };
  std::size_t model = 0;  ///< any number that tells it apart
  Needs holds;
  State state = State::busy;
  Clock::time_point last_used{};
};

struct RoomPlan {
  enum class Verdict {
    fits,
    wait,    ///< until what leaves has left, or what is busy is idle
    unload,  ///< `unload` first, then wait for them
    never,   ///< also with nothing else in memory
  };
  Verdict verdict = Verdict::fits;
  std::vector<std::size_t> unload;  ///< `Holder::model` of idle ones, least recently used first
  std::string why;                  ///< with numbers, unless it fits
};

/// `limit_of` tells the bytes that all models together may have on a device; asked once for each device that
/// `needs` names. Nothing is unloaded for a model that has to wait for a busy one as well.
[[nodiscard]] RoomPlan plan_room(const Needs& needs, std::span<const Holder> holders,
                                 const std::function<std::uint64_t(const std::string& device)>& limit_of);

/// How many tokens' activations at `bytes_per_token` half of `free` bytes can take, for each of `replicas` on
/// one device; at least 64, so that a batch is never nothing. The other half is for what else comes. No limit
/// (the greatest number) where bytes_per_token is 0: not known.
[[nodiscard]] std::size_t affordable_tokens(std::uint64_t free, std::size_t bytes_per_token,
                                            std::size_t replicas);

}  // namespace qrerank::reranker::manager
