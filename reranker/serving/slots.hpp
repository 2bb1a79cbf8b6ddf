// The texts of one request, equal ones together: a slot each, whose score comes from the cache or the model.
// Slots whose tokens are equal are computed once, too.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "reranker/model/model.hpp"
#include "reranker/score_cache.hpp"

namespace qrerank::reranker::serving {

/// Equal texts share a slot; slots are scored, texts are answered.
struct Slots {
  std::vector<std::size_t> of_text;                ///< one per text
  std::vector<std::size_t> first_text;             ///< one per slot
  std::vector<ScoreKey> keys;                      ///< one per slot; empty without a cache
  std::size_t width = 1;                           ///< numbers per text: a logit, or a vector's
  std::vector<double> values;                      ///< `width` per slot, once known
  std::vector<bool> known;                         ///< one per slot
  std::vector<std::size_t> unknown;                ///< slots that the cache did not know, in order
  std::vector<std::vector<std::size_t>> computed;  ///< those of each sequence that the model is asked for

  Slots(const std::vector<std::string>& texts, std::size_t width_);

  void set(std::size_t slot, std::span<const double> row);

  /// `sequences` are those of `unknown`. What is left of texts that are cut may be equal: only the first of
  /// equal ones stays, and stands for their slots. The model's rounding differs from place to place in a
  /// batch; equal sequences would come out in an order that means nothing.
  void compute_equal_ones_once(std::vector<model::Sequence>& sequences);

  /// In text order; every slot is known.
  [[nodiscard]] std::vector<double> text_values() const;
};

}  // namespace qrerank::reranker::serving
