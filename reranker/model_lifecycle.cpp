#include "reranker/model_lifecycle.hpp"

#include <utility>

namespace qrerank::reranker {

ModelLifecycle::Arrival ModelLifecycle::request_arrived(Clock::time_point now) {
  switch (state_) {
    case ModelState::ready:
      return Arrival::proceed;
    case ModelState::loading:
      return Arrival::wait;
    case ModelState::draining:
      return Arrival::refuse;
    case ModelState::failed:
      // A difference, for a sum with a long back-off could overflow.
      if (now - failed_at_ < retry_after_) {
        return Arrival::refuse;
      }
      break;
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

void ModelLifecycle::load_failed(std::string reason, Clock::time_point now) {
  if (state_ == ModelState::loading) {
    state_ = ModelState::failed;
    detail_ = std::move(reason);
    failed_at_ = now;
  }
}

void ModelLifecycle::drain() {
  state_ = ModelState::draining;
}

}  // namespace qrerank::reranker
