#include "reranker/model/rms_norm.hpp"

#include <ATen/ops/linalg_vector_norm.h>

namespace qrerank::reranker::model {

at::Tensor rms_normalize(const at::Tensor& x, const at::Tensor& weight, double eps) {
  const auto wide = x.to(c10::kFloat);
  const auto size = static_cast<double>(x.size(-1));
  const auto factor = at::linalg_vector_norm(wide, 2, at::IntArrayRef{-1}, /*keepdim=*/true)
                          .square_()
                          .div_(size)
                          .add_(eps)
                          .rsqrt_();
  return wide.mul(factor).mul_(weight).to(x.scalar_type());
}

}  // namespace qrerank::reranker::model
