#include "reranker/manager/model_lifecycle.hpp"

#include <utility>

namespace qrerank::reranker::manager {

ModelLifecycle::Arrival ModelLifecycle::request_arrived(Clock::time_point now) {
  // A difference, for a sum with a long back-off could overflow.
  if (state_ == ModelState::failed && now - failed_at_ < retry_after_) {
    return Arrival::refuse;
  }
  return load_ordered();
}

ModelLifecycle::Arrival ModelLifecycle::load_ordered() {
  switch (state_) {
    case ModelState::ready:
      return Arrival::proceed;
    case ModelState::loading:
      return Arrival::wait;
    case ModelState::draining:
      if (closed_) {
        return Arrival::refuse;
      }
      asked_while_draining_ = true;
      return Arrival::wait;
    case ModelState::failed:
    case ModelState::unloaded:
      break;
  }
  state_ = ModelState::loading;
  return Arrival::start_load;
}

void ModelLifecycle::load_succeeded() {
  if (state_ == ModelState::loading) {
    state_ = ModelState::ready;
    detail_.clear();
  }
}

void ModelLifecycle::load_failed(ScoreFailure failure, std::string reason, Clock::time_point now) {
  if (state_ == ModelState::loading) {
    state_ = ModelState::failed;
    failure_ = failure;
    detail_ = std::move(reason);
    failed_at_ = now;
  }
}

void ModelLifecycle::load_abandoned() {
  if (state_ == ModelState::loading) {
    state_ = ModelState::unloaded;
  }
}

bool ModelLifecycle::unload() {
  if (state_ == ModelState::failed) {
    state_ = ModelState::unloaded;
    detail_.clear();
  }
  if (state_ != ModelState::ready) {
    return false;
  }
  state_ = ModelState::draining;
  return true;
}

bool ModelLifecycle::drained() {
  if (state_ != ModelState::draining || closed_) {
    return false;
  }
  const bool asked = std::exchange(asked_while_draining_, false);
  state_ = asked ? ModelState::loading : ModelState::unloaded;
  return asked;
}

void ModelLifecycle::close() {
  closed_ = true;
  state_ = ModelState::draining;
}

ScoreError ModelLifecycle::refusal() const {
  if (closed_) {
    return {ScoreFailure::model_unavailable, "the model is shut down", {}};
  }
  return {failure_, detail_, {}};
}

}  // namespace qrerank::reranker::manager
