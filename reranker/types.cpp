#include "reranker/types.hpp"

#include <algorithm>
#include <cmath>

namespace qrerank::reranker {

std::string_view to_string(ScoreFailure failure) {
  switch (failure) {
    case ScoreFailure::overloaded:
      return "overloaded";
    case ScoreFailure::timeout:
      return "timeout";
    case ScoreFailure::model_unavailable:
      return "model_unavailable";
    case ScoreFailure::out_of_memory:
      return "out_of_memory";
    case ScoreFailure::backend_error:
      return "backend_error";
    case ScoreFailure::cancelled:
      return "cancelled";
    case ScoreFailure::internal:
      return "internal";
  }
  return "internal";
}

double sigmoid(double logit) {
  // e^-|x| never overflows; the two branches are the same function.
  const double e = std::exp(-std::abs(logit));
  return logit >= 0 ? 1.0 / (1.0 + e) : e / (1.0 + e);
}

double logit_of(double probability) {
  const double p = std::clamp(probability, 1e-15, 1.0 - 1e-15);
  return std::log(p) - std::log1p(-p);
}

}  // namespace qrerank::reranker
