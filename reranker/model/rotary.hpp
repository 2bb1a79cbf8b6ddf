// Rotary positions: queries and keys are turned by an angle that grows with their place in the sequence.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace qrerank::reranker::model {

/// What a run of rows is turned by.
struct Rotation {
  at::Tensor cosine;  // [rows, 1, head_dim / 2] float32
  at::Tensor sine;    // [rows, 1, head_dim / 2] float32
};

class Rotary {
 public:
  /// Angles for positions 0 … positions - 1, rounded as the models were trained: float32 throughout.
  Rotary(std::int64_t positions, std::int64_t head_dim, double theta, const c10::Device& device);

  /// `places` [rows] int32.
  [[nodiscard]] Rotation at(const at::Tensor& places) const;

 private:
  at::Tensor cosine_;  // [positions, head_dim / 2] float32
  at::Tensor sine_;
};

/// Each head of x [rows, heads, head_dim] normalised (root mean square, weight [head_dim] float32), then
/// turned: half a head's dimensions are the first coordinates, the other half the second ones. float32
/// inside, x's dtype outside.
[[nodiscard]] at::Tensor normalize_and_turn(const at::Tensor& x, const at::Tensor& weight, double eps,
                                            const Rotation& rotation);

}  // namespace qrerank::reranker::model
