// Root mean square normalisation over the last dimension.
#pragma once

#include <ATen/core/Tensor.h>

namespace qrerank::reranker::model {

/// x / sqrt(mean(x^2) + eps) * weight. `weight` float32, float32 inside, x's dtype and shape outside. (Twice
/// as fast here as at::rms_norm, which takes more passes on the CPU.)
[[nodiscard]] at::Tensor rms_normalize(const at::Tensor& x, const at::Tensor& weight, double eps);

}  // namespace qrerank::reranker::model
