#include "reranker/model/weights.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace qrerank::reranker::model {
namespace {

std::optional<c10::ScalarType> stored_type(std::string_view dtype) {
  if (dtype == "F32") return c10::kFloat;
  if (dtype == "BF16") return c10::kBFloat16;
  if (dtype == "F16") return c10::kHalf;
  return std::nullopt;
}

}  // namespace

at::Tensor WeightReader::read(const std::string& name, std::span<const std::int64_t> shape,
                              c10::ScalarType dtype) {
  if (!error_.empty()) return {};
  const auto* stored = checkpoint_.find(name);
  if (stored == nullptr) {
    error_ = "tensor '" + name + "': expected shape " + shape_text(shape) + ", found no such tensor";
    return {};
  }
  const auto& entry = stored->entry;
  const auto type = stored_type(entry.dtype);
  if (!type || !std::ranges::equal(shape, entry.shape)) {
    error_ = stored->file + ": tensor '" + name + "': expected " +
             (type ? "shape " + shape_text(shape) : std::string("dtype F32, BF16 or F16")) + ", found " +
             (type ? shape_text(entry.shape) : entry.dtype);
    return {};
  }
  // Copied rather than mapped: a file's tensors need not be aligned, and layers repack their weights anyway.
  auto tensor = at::empty(at::IntArrayRef(shape.data(), shape.size()), *type);
  std::memcpy(tensor.data_ptr(), stored->bytes.data(), stored->bytes.size());
  return tensor.to(dtype);
}

DenseWeights WeightReader::dense(const std::string& scope, std::int64_t in, std::int64_t out,
                                 c10::ScalarType dtype) {
  DenseWeights weights;
  weights.weight = read(scope + ".weight", std::array{out, in}, dtype);
  weights.bias = read(scope + ".bias", std::array{out}, dtype);
  return weights;
}

NormWeights WeightReader::norm(const std::string& scope, std::int64_t size, double eps) {
  NormWeights weights;
  weights.weight = read(scope + ".weight", std::array{size}, c10::kFloat);
  weights.bias = read(scope + ".bias", std::array{size}, c10::kFloat);
  weights.eps = eps;
  return weights;
}

}  // namespace qrerank::reranker::model
