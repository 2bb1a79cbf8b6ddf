// Token, position and type embeddings, summed and normalised: what enters the first encoder layer.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "reranker/model/encoder_config.hpp"
#include "reranker/model/weights.hpp"

namespace qrerank::reranker::model {

struct EmbeddingWeights {
  KeptMatrix words;      // [vocabulary, hidden]
  at::Tensor positions;  // [positions, hidden], float32
  at::Tensor types;      // [types, hidden], float32
  NormWeights norm;
};

/// Names as Hugging Face writes them below `scope` ("bert.embeddings").
[[nodiscard]] EmbeddingWeights read_embeddings(WeightReader& reader, const std::string& scope,
                                               const EncoderConfig& config, c10::ScalarType dtype);

class Embeddings {
 public:
  Embeddings(const EmbeddingWeights& weights, const c10::Device& device);

  /// `ids`, `positions`, `types` [tokens] int32, to [tokens, hidden] in the arithmetic dtype. Sum and norm
  /// are float32.
  [[nodiscard]] at::Tensor forward(const at::Tensor& ids, const at::Tensor& positions,
                                   const at::Tensor& types) const;

 private:
  EmbeddingWeights weights_;
  c10::ScalarType arithmetic_;  ///< of what is returned
};

}  // namespace qrerank::reranker::model
