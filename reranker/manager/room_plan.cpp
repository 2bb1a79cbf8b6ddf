#include "reranker/manager/room_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace qrerank::reranker::manager {
namespace {

using State = Holder::State;
using Verdict = RoomPlan::Verdict;

constexpr std::size_t kLeastTokens = 64;

std::string mebibytes(std::uint64_t bytes) {
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1024 * 1024));
}

std::uint64_t on_device(const Needs& needs, const std::string& device) {
  std::uint64_t bytes = 0;
  for (const auto& need : needs) {
    bytes += need.device == device ? need.bytes : 0;
  }
  return bytes;
}

// What one device says.
class DevicePlan {
 public:
  DevicePlan(const std::string& device, std::uint64_t need, std::uint64_t limit,
             std::span<const Holder> holders)
      : device_(device), need_(need), limit_(limit), holders_(holders) {
    for (const Holder& holder : holders) {
      const std::uint64_t bytes = on_device(holder.holds, device);
      held_ += bytes;
      leaving_ += holder.state == State::leaving ? bytes : 0;
      moving_ = moving_ || (bytes > 0 && (holder.state == State::leaving || holder.state == State::loading));
    }
  }

  // Adds to `chosen` what has to go. The older of two idle models goes first.
  Verdict decide(std::set<std::size_t>& chosen) const {
    if (need_ > limit_) {
      // The machine's free memory is not settled while somebody loads or leaves.
      return moving_ ? Verdict::wait : Verdict::never;
    }
    const std::uint64_t wanted = held_ + need_;
    if (wanted <= limit_) {
      return Verdict::fits;
    }
    std::uint64_t missing = wanted - limit_;
    if (leaving_ >= missing) {
      return Verdict::wait;
    }
    missing -= leaving_;
    std::vector<const Holder*> idle;
    for (const Holder& holder : holders_) {
      if (holder.state == State::idle && on_device(holder.holds, device_) > 0) {
        idle.push_back(&holder);
      }
    }
    std::ranges::sort(idle, {}, [&](const Holder* holder) {
      return std::tuple(!chosen.contains(holder->model), holder->last_used, holder->model);
    });
    for (const Holder* holder : idle) {
      chosen.insert(holder->model);
      const std::uint64_t bytes = on_device(holder->holds, device_);
      if (bytes >= missing) {
        return Verdict::unload;
      }
      missing -= bytes;
    }
    return Verdict::wait;
  }

  [[nodiscard]] std::string numbers() const {
    return fmt::format("{} needed on {}, where {} of {} are taken by other models", mebibytes(need_), device_,
                       mebibytes(held_), mebibytes(limit_));
  }

 private:
  const std::string& device_;
  std::uint64_t need_;
  std::uint64_t limit_;
  std::span<const Holder> holders_;
  std::uint64_t held_ = 0;
  std::uint64_t leaving_ = 0;
  bool moving_ = false;  // somebody is
};

}  // namespace

RoomPlan plan_room(const Needs& needs, std::span<const Holder> holders,
                   const std::function<std::uint64_t(const std::string& device)>& limit_of) {
  std::map<std::string, std::uint64_t> by_device;
  for (const auto& need : needs) {
    by_device[need.device] += need.bytes;
  }
  RoomPlan plan;
  std::set<std::size_t> chosen;
  bool must_wait = false;
  bool must_unload = false;
  for (const auto& [device, bytes] : by_device) {
    const DevicePlan its(device, bytes, limit_of(device), holders);
    const Verdict verdict = its.decide(chosen);
    if (verdict == Verdict::fits) {
      continue;
    }
    plan.why += (plan.why.empty() ? "" : "; ") + its.numbers();
    if (verdict == Verdict::never) {
      return {Verdict::never, {}, its.numbers()};
    }
    must_wait = must_wait || verdict == Verdict::wait;
    must_unload = must_unload || verdict == Verdict::unload;
  }
  if (must_wait) {
    plan.verdict = Verdict::wait;
  } else if (must_unload) {
    plan.verdict = Verdict::unload;
    std::vector<const Holder*> going;
    for (const Holder& holder : holders) {
      if (chosen.contains(holder.model)) {
        going.push_back(&holder);
      }
    }
    std::ranges::sort(going, {},
                      [](const Holder* holder) { return std::pair(holder->last_used, holder->model); });
    for (const Holder* holder : going) {
      plan.unload.push_back(holder->model);
    }
  }
  return plan;
}

std::size_t affordable_tokens(std::uint64_t free, std::size_t bytes_per_token, std::size_t replicas) {
  if (bytes_per_token == 0) {
    return std::numeric_limits<std::size_t>::max();
  }
  const std::uint64_t tokens = free / 2 / bytes_per_token / std::max<std::size_t>(replicas, 1);
  return std::max<std::size_t>(tokens, kLeastTokens);
}

}  // namespace qrerank::reranker::manager
