#include "reranker/model/rotary.hpp"

#include <ATen/ops/addcmul.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/outer.h>
#include <ATen/ops/pow.h>

#include "reranker/model/rms_norm.hpp"

namespace qrerank::reranker::model {

Rotary::Rotary(std::int64_t positions, std::int64_t head_dim, double theta, const c10::Device& device) {
  const auto exponent = at::arange(0, head_dim, 2, c10::kFloat).div_(static_cast<double>(head_dim));
  const auto frequency = at::pow(theta, exponent).reciprocal_();                // [head_dim / 2]
  const auto angle = at::outer(at::arange(positions, c10::kFloat), frequency);  // [positions, half]
  cosine_ = angle.cos().to(device);
  sine_ = angle.sin().to(device);
}

Rotation Rotary::at(const at::Tensor& places) const {
  return {.cosine = cosine_.index_select(0, places).unsqueeze(1),
          .sine = sine_.index_select(0, places).unsqueeze(1)};
}

at::Tensor normalize_and_turn(const at::Tensor& x, const at::Tensor& weight, double eps,
                              const Rotation& rotation) {
  const auto normal = rms_normalize(x.to(c10::kFloat), weight, eps);
  const auto half = x.size(2) / 2;
  const auto first = normal.narrow(2, 0, half);
  const auto second = normal.narrow(2, half, half);
  auto turned = at::empty_like(normal);
  auto to_first = turned.narrow(2, 0, half);
  auto to_second = turned.narrow(2, half, half);
  at::mul_out(to_first, first, rotation.cosine).addcmul_(second, rotation.sine, -1);
  at::mul_out(to_second, second, rotation.cosine).addcmul_(first, rotation.sine);
  return turned.to(x.scalar_type());
}

}  // namespace qrerank::reranker::model
