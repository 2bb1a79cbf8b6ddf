// One pre-norm transformer block of Qwen3: grouped queries, normalised queries and keys, SwiGLU, no biases.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "reranker/model/linear.hpp"
#include "reranker/model/prefix_attention.hpp"
#include "reranker/model/qwen3_config.hpp"
#include "reranker/model/rotary.hpp"

namespace qrerank::reranker::model {

/// Names as Hugging Face writes them below a layer's scope ("model.layers.0").
struct Qwen3LayerWeights {
  at::Tensor input_norm;            // [hidden] float32, as all norms
  DenseWeights q, kv;               // [heads * head_dim, hidden], [2 * kv_heads * head_dim, hidden]
  at::Tensor query_norm, key_norm;  // [head_dim]
  DenseWeights attention_out;       // [hidden, heads * head_dim]
  at::Tensor attention_norm;        // [hidden], behind attention
  DenseWeights gate, up, down;      // [intermediate, hidden] twice, [hidden, intermediate]
};

/// `dtype`: of the matrices. Check the reader's error before use.
[[nodiscard]] Qwen3LayerWeights read_qwen3_layer(WeightReader& reader, const std::string& scope,
                                                 const Qwen3Config& config, c10::ScalarType dtype);

class Qwen3Layer {
 public:
  Qwen3Layer(const Qwen3LayerWeights& weights, const Qwen3Config& config, const c10::Device& device);

  /// What of a row attention reads: x [rows, hidden] normalised, [rows, hidden].
  [[nodiscard]] at::Tensor normal(const at::Tensor& x) const;
  /// Keys and values of normal rows: [rows, 2, kv_heads, head_dim].
  [[nodiscard]] at::Tensor keys_and_values(const at::Tensor& normal, const Rotation& rotation) const;
  /// Queries of normal rows: [rows, heads, head_dim].
  [[nodiscard]] at::Tensor queries(const at::Tensor& normal, const Rotation& rotation) const;
  /// What follows attention, row by row: `mixed` [rows, heads * head_dim] and the `x` [rows, hidden] that
  /// went into the layer, to [rows, hidden].
  [[nodiscard]] at::Tensor finish(const at::Tensor& mixed, const at::Tensor& x) const;

 private:
  double eps_;
  std::int64_t heads_, kv_heads_, head_dim_;
  at::Tensor input_norm_, query_norm_, key_norm_, attention_norm_;
  Linear q_, kv_, attention_out_, gate_, up_, down_;
};

}  // namespace qrerank::reranker::model
