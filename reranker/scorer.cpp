#include "reranker/scorer.hpp"

namespace qrerank::reranker {

std::string_view to_string(ModelState state) {
  switch (state) {
    case ModelState::unloaded:
      return "unloaded";
    case ModelState::loading:
      return "loading";
    case ModelState::ready:
      return "ready";
    case ModelState::draining:
      return "draining";
    case ModelState::failed:
      return "failed";
  }
  return "failed";
}

std::string_view to_string(ModelKind kind) {
  return kind == ModelKind::reranker ? "reranker" : "embedding";
}

}  // namespace qrerank::reranker
