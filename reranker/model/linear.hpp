// Dense layers, with what follows them (gelu, residual) fused where the CPU library can.
#pragma once

#include <ATen/core/Tensor.h>

#include "reranker/model/weights.hpp"

namespace qrerank::reranker::model {

/// y = x W^T + b. On the CPU the weight is repacked once for oneDNN (0 to 10 % faster than at::linear in
/// float32, 30 to 100 % in bfloat16 with AMX, one thread, 256 to 2048 rows); elsewhere it is plain
/// at::linear. A weight whose dtype the device does not multiply (arithmetic_dtype) stays as it is kept, and
/// is converted for each call, a stretch of rows at a time, in the caches: measured on AVX2, a piece of 512
/// tokens takes as long as with float32 weights.
class Linear {
 public:
  /// Weight in the dtype to keep.
  Linear(const DenseWeights& weights, const c10::Device& device);

  /// x [tokens, in], in the arithmetic dtype, to [tokens, out].
  [[nodiscard]] at::Tensor apply(const at::Tensor& x) const;
  /// gelu(y), the exact (erf) one.
  [[nodiscard]] at::Tensor apply_gelu(const at::Tensor& x) const;
  /// silu(y).
  [[nodiscard]] at::Tensor apply_silu(const at::Tensor& x) const;
  /// y + residual [tokens, out].
  [[nodiscard]] at::Tensor apply_plus(const at::Tensor& x, const at::Tensor& residual) const;
  /// y * factor [tokens, out].
  [[nodiscard]] at::Tensor apply_times(const at::Tensor& x, const at::Tensor& factor) const;

 private:
  [[nodiscard]] at::Tensor unpacked(const at::Tensor& x) const;
  [[nodiscard]] at::Tensor converted(const at::Tensor& x) const;

  KeptMatrix weight_;  // [out, in], in oneDNN's own order where packed_
  c10::ScalarType arithmetic_;
  at::Tensor bias_;  // [out], arithmetic dtype; undefined where the layer has none
  bool packed_ = false;
};

/// Layer normalisation over the last dimension: float32 weights, any input dtype, float32 inside.
[[nodiscard]] at::Tensor normalize(const at::Tensor& x, const NormWeights& norm);

}  // namespace qrerank::reranker::model
