#include "reranker/model/embeddings.hpp"

#include <array>

#include "reranker/model/device.hpp"
#include "reranker/model/linear.hpp"

namespace qrerank::reranker::model {

EmbeddingWeights read_embeddings(WeightReader& reader, const std::string& scope, const EncoderConfig& config,
                                 c10::ScalarType dtype) {
  const auto table = [&](const char* name, std::int64_t rows, c10::ScalarType type) {
    return reader.read(scope + name, std::array{rows, config.hidden}, type);
  };
  EmbeddingWeights weights;
  weights.words = reader.matrix({{.name = scope + ".word_embeddings.weight", .rows = config.vocabulary}},
                                config.hidden, dtype);
  weights.positions = table(".position_embeddings.weight", config.positions, c10::kFloat);
  weights.types = table(".token_type_embeddings.weight", config.types, c10::kFloat);
  weights.norm = reader.norm(scope + ".LayerNorm", config.hidden, config.layer_norm_eps);
  return weights;
}

Embeddings::Embeddings(const EmbeddingWeights& weights, const c10::Device& device)
    : weights_(weights), arithmetic_(arithmetic_dtype(weights.words.dtype(), device)) {
  weights_.words = weights_.words.to(device);
  for (auto* tensor : {&weights_.positions, &weights_.types, &weights_.norm.weight, &weights_.norm.bias}) {
    *tensor = tensor->to(device);
  }
}

at::Tensor Embeddings::forward(const at::Tensor& ids, const at::Tensor& positions,
                               const at::Tensor& types) const {
  auto sum = weights_.positions.index_select(0, positions);  // [tokens, hidden]
  sum.add_(weights_.words.lookup(ids, c10::kFloat));
  sum.add_(weights_.types.index_select(0, types));
  return normalize(sum, weights_.norm).to(arithmetic_);
}

}  // namespace qrerank::reranker::model
