#include "proxy/observe/metrics/models.hpp"

#include <array>
#include <utility>

namespace qrerank::proxy::observe::metrics {
namespace {

using reranker::ModelState;

constexpr std::array kStates = {ModelState::unloaded, ModelState::loading, ModelState::ready,
                                ModelState::draining, ModelState::failed};

}  // namespace

Models::Models(Registry& registry)
    : registry_(registry),
      load_seconds_(registry.histogram("qrerank_model_load_seconds",
                                       "Loading a model, those that failed included.", duration_bounds())) {}

Models::Series& Models::series(const std::string& name) {
  const auto known = models_.find(name);
  if (known != models_.end()) return known->second;
  const Label of{"model", name};
  const auto loads = [&](std::string_view outcome) {
    return registry_.counter("qrerank_model_loads_total", "Times that a model was loaded, or failed to.",
                             {of, {"outcome", outcome}});
  };
  Series made{.states = {},
              .bytes = registry_.gauge("qrerank_model_bytes",
                                       "Memory given to a model's weights, on all devices.", {of}),
              .loads = loads("loaded"),
              .loads_failed = loads("failed")};
  for (const auto state : kStates) {
    made.states.push_back(registry_.gauge("qrerank_model_state", "1 for the state that a model is in.",
                                          {of, {"state", to_string(state)}}));
  }
  return models_.emplace(name, std::move(made)).first->second;
}

void Models::model(const std::string& name, ModelState state, std::uint64_t bytes) {
  const std::lock_guard hold(guard_);
  Series& its = series(name);
  for (std::size_t i = 0; i < kStates.size(); ++i) its.states[i].set(kStates[i] == state ? 1 : 0);
  its.bytes.set(static_cast<double>(bytes));
}

void Models::loaded(const std::string& name, bool succeeded, std::chrono::microseconds took) {
  load_seconds_.observe(took);
  const std::lock_guard hold(guard_);
  Series& its = series(name);
  (succeeded ? its.loads : its.loads_failed).add();
}

}  // namespace qrerank::proxy::observe::metrics
