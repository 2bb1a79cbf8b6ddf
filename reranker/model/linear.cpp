#include "reranker/model/linear.hpp"

#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/silu.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "reranker/model/device.hpp"

namespace qrerank::reranker::model {
namespace {

/// Rows that weights are packed for; other counts run on the same packing.
constexpr std::int64_t kPackedRows = 512;

/// Weights converted together: 1 MiB of float32 beside the rows that are multiplied (64 to 512 rows of a
/// [3072, 1024] weight measured alike); a GPU has room for whole layers.
constexpr std::int64_t kCpuStretchElements = std::int64_t{1} << 18;
constexpr std::int64_t kGpuStretchElements = std::int64_t{1} << 26;
constexpr std::int64_t kLeastStretchRows = 64;

using MaybeTensor = std::optional<at::Tensor>;
using Pointwise = at::Tensor(const at::Tensor&, const at::Tensor&, const MaybeTensor&, std::string_view,
                             c10::List<std::optional<at::Scalar>>, std::optional<std::string_view>);
using PointwiseBinary = at::Tensor(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                                   const MaybeTensor&, std::string_view);
using Reorder = at::Tensor(const at::Tensor&, std::optional<c10::SymInt>);

/// libtorch's oneDNN layers: registered operators without a C++ header of their own.
struct Onednn {
  c10::TypedOperatorHandle<Pointwise> pointwise;
  c10::TypedOperatorHandle<PointwiseBinary> binary;
  c10::TypedOperatorHandle<Reorder> reorder;
};

/// Null where this libtorch was built without them.
const Onednn* onednn() {
  static const std::optional<Onednn> operators = []() -> std::optional<Onednn> {
    auto& dispatcher = c10::Dispatcher::singleton();
    const auto pointwise = dispatcher.findSchema({"mkldnn::_linear_pointwise", ""});
    const auto binary = dispatcher.findSchema({"mkldnn::_linear_pointwise", "binary"});
    const auto reorder = dispatcher.findSchema({"mkldnn::_reorder_linear_weight", ""});
    if (!at::hasMKLDNN() || !pointwise || !binary || !reorder) return std::nullopt;
    return Onednn{pointwise->typed<Pointwise>(), binary->typed<PointwiseBinary>(), reorder->typed<Reorder>()};
  }();
  return operators ? &*operators : nullptr;
}

MaybeTensor maybe(const at::Tensor& tensor) {
  return tensor.defined() ? MaybeTensor(tensor) : std::nullopt;
}

at::Tensor pointwise(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                     std::string_view attribute) {
  return onednn()->pointwise.call(x, weight, maybe(bias), attribute, c10::List<std::optional<at::Scalar>>(),
                                  "none");
}

at::Tensor binary(const at::Tensor& x, const at::Tensor& other, const at::Tensor& weight,
                  const at::Tensor& bias, std::string_view attribute) {
  return onednn()->binary.call(x, other, weight, maybe(bias), attribute);
}

}  // namespace

Linear::Linear(const DenseWeights& weights, const c10::Device& device)
    : weight_(weights.weight.to(device)), arithmetic_(arithmetic_dtype(weights.weight.dtype(), device)) {
  if (weights.bias.defined()) bias_ = weights.bias.to(device, arithmetic_);
  if (device.is_cpu() && weight_.dtype() == arithmetic_ && onednn() != nullptr) {
    weight_.values = onednn()->reorder.call(weight_.values, c10::SymInt(kPackedRows));
    packed_ = true;
  }
}

at::Tensor Linear::unpacked(const at::Tensor& x) const {
  if (weight_.dtype() != arithmetic_) return converted(x);
  return at::linear(x, weight_.values, maybe(bias_));
}

at::Tensor Linear::converted(const at::Tensor& x) const {
  const auto out = weight_.rows();
  const auto elements = x.is_cpu() ? kCpuStretchElements : kGpuStretchElements;
  const auto stretch = std::min(out, std::max(kLeastStretchRows, elements / weight_.columns()));
  auto y = at::empty({x.size(0), out}, x.options());                 // [tokens, out]
  auto rows = at::empty({stretch, weight_.columns()}, x.options());  // [stretch, in]
  // int8 is exact in every float dtype, its product with the scale only in float32.
  const bool scale_rows = weight_.scale.defined() && arithmetic_ == c10::kFloat;
  for (std::int64_t row = 0; row < out; row += stretch) {
    const auto kept = weight_.narrow(row, std::min(stretch, out - row));
    const auto use = rows.narrow(0, 0, kept.rows());
    use.copy_(kept.values);
    if (scale_rows) use.mul_(kept.scale.unsqueeze(1));
    auto into = y.narrow(1, row, kept.rows());
    at::mm_out(into, x, use.t());
  }
  if (weight_.scale.defined() && !scale_rows) y.mul_(weight_.scale);
  if (bias_.defined()) y.add_(bias_);
  return y;
}

at::Tensor Linear::apply(const at::Tensor& x) const {
  return packed_ ? pointwise(x, weight_.values, bias_, "none") : unpacked(x);
}

at::Tensor Linear::apply_gelu(const at::Tensor& x) const {
  return packed_ ? pointwise(x, weight_.values, bias_, "gelu") : at::gelu(unpacked(x));
}

at::Tensor Linear::apply_silu(const at::Tensor& x) const {
  if (packed_) return pointwise(x, weight_.values, bias_, "swish");
  auto y = unpacked(x);
  return at::silu_(y);
}

at::Tensor Linear::apply_plus(const at::Tensor& x, const at::Tensor& residual) const {
  return packed_ ? binary(x, residual, weight_.values, bias_, "add") : unpacked(x).add_(residual);
}

at::Tensor Linear::apply_times(const at::Tensor& x, const at::Tensor& factor) const {
  return packed_ ? binary(x, factor, weight_.values, bias_, "mul") : unpacked(x).mul_(factor);
}

at::Tensor normalize(const at::Tensor& x, const NormWeights& norm) {
  return at::layer_norm(x, norm.weight.sizes(), norm.weight, norm.bias, norm.eps);
}

}  // namespace qrerank::reranker::model
