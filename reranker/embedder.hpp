// The other seam: texts in, vectors out. What can be asked of a model is told by its kind (scorer.hpp,
// ModelStatus).
#pragma once

#include <functional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "reranker/scorer.hpp"
#include "reranker/types.hpp"

namespace qrerank::reranker {

/// Texts that are to become query vectors: UTF-8, of any length (what the model cannot read of it is cut
/// off).
struct EmbedRequest {
  std::string model;  ///< a configured model's name
  std::vector<std::string> texts;
  Clock::time_point deadline = Clock::time_point::max();
};

struct Embeddings {
  std::vector<std::vector<float>> vectors;  ///< one per text, in their order, of one length, all finite
  Timings timings;
  std::size_t cached = 0;  ///< how many of them were known already
  std::size_t tokens = 0;  ///< computed for this request
};

using EmbedResult = tl::expected<Embeddings, ScoreError>;
/// As ScoreCompletion: once, from any thread, quick, never throwing.
using EmbedCompletion = std::function<void(EmbedResult)>;

class Embedder {
 public:
  virtual ~Embedder() = default;

  /// Never blocks and never throws for what the outside world did. Thread-safe. The ticket cancels as a
  /// scorer's does.
  [[nodiscard]] virtual ScoreTicket embed(EmbedRequest request, EmbedCompletion done) = 0;
};

}  // namespace qrerank::reranker
