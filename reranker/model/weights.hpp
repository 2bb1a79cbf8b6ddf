// A checkpoint's tensors, by name and expected shape, as ATen tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <string>

#include "reranker/model/checkpoint.hpp"

namespace qrerank::reranker::model {

/// A dense layer as checkpoints keep it.
struct DenseWeights {
  at::Tensor weight;  // [out, in]
  at::Tensor bias;    // [out]
};

struct NormWeights {
  at::Tensor weight;  // [hidden], float32
  at::Tensor bias;    // [hidden], float32
  double eps = 0;
};

/// Reads tensors; the first failure sticks, names file, tensor, expected and found, and makes later reads
/// return undefined tensors: check `error()` before using any of them.
class WeightReader {
 public:
  explicit WeightReader(const Checkpoint& checkpoint) : checkpoint_(checkpoint) {}

  /// A copy of the tensor in `dtype` on the CPU. F32, BF16 and F16 are read.
  at::Tensor read(const std::string& name, std::span<const std::int64_t> shape, c10::ScalarType dtype);

  /// `scope`.weight and `scope`.bias.
  DenseWeights dense(const std::string& scope, std::int64_t in, std::int64_t out, c10::ScalarType dtype);
  NormWeights norm(const std::string& scope, std::int64_t size, double eps);

  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  const Checkpoint& checkpoint_;
  std::string error_;
};

}  // namespace qrerank::reranker::model
