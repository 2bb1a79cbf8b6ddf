// Dense layers, with what follows them (gelu, residual) fused where the CPU library can.
#pragma once

#include <ATen/core/Tensor.h>

#include "reranker/model/weights.hpp"

namespace qrerank::reranker::model {

/// y = x W^T + b. On the CPU the weight is repacked once for oneDNN (0 to 10 % faster than at::linear in
/// float32, 30 to 100 % in bfloat16 with AMX, one thread, 256 to 2048 rows); elsewhere it is plain
/// at::linear.
class Linear {
 public:
  /// Weight and bias in the dtype to compute in.
  Linear(const DenseWeights& weights, const c10::Device& device);

  /// x [tokens, in] to [tokens, out].
  [[nodiscard]] at::Tensor apply(const at::Tensor& x) const;
  /// gelu(y), the exact (erf) one.
  [[nodiscard]] at::Tensor apply_gelu(const at::Tensor& x) const;
  /// y + residual [tokens, out].
  [[nodiscard]] at::Tensor apply_plus(const at::Tensor& x, const at::Tensor& residual) const;

 private:
  at::Tensor weight_;  // [out, in], in oneDNN's own order where packed_
  at::Tensor bias_;    // [out]
  bool packed_ = false;
};

/// Layer normalisation over the last dimension: float32 weights, any input dtype, float32 inside.
[[nodiscard]] at::Tensor normalize(const at::Tensor& x, const NormWeights& norm);

}  // namespace qrerank::reranker::model
