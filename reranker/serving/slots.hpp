// The texts of one request, equal ones together: a slot each, whose score comes from the cache or the model.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "reranker/score_cache.hpp"

namespace qrerank::reranker::serving {

/// Equal texts share a slot; slots are scored, texts are answered.
struct Slots {
  std::vector<std::size_t> of_text;           ///< one per text
  std::vector<std::size_t> first_text;        ///< one per slot
  std::vector<ScoreKey> keys;                 ///< one per slot; empty without a cache
  std::vector<std::optional<double>> logits;  ///< one per slot, empty until known
  std::vector<std::size_t> computed;          ///< slots that the model is asked for, in its order

  explicit Slots(const std::vector<std::string>& texts);

  /// In text order; every slot is known.
  [[nodiscard]] std::vector<double> text_logits() const;
};

}  // namespace qrerank::reranker::serving
