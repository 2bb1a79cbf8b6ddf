#include "reranker/model/head.hpp"

#include <ATen/ops/linear.h>

namespace qrerank::reranker::model {

Head::Head(const HeadWeights& weights, const c10::Device& device)
    : dense_weight_(weights.dense.weight.values.to(device)),
      dense_bias_(weights.dense.bias.to(device)),
      out_weight_(weights.out.weight.values.to(device, c10::kDouble)),
      out_bias_(weights.out.bias.to(device, c10::kDouble)) {}

at::Tensor Head::forward(const at::Tensor& states) const {
  const auto pooled = at::linear(states.to(c10::kFloat), dense_weight_, dense_bias_).tanh();
  return at::linear(pooled.to(c10::kDouble), out_weight_, out_bias_).squeeze(1);
}

}  // namespace qrerank::reranker::model
