#include "reranker/model/linear.hpp"

#include <ATen/Context.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/add.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/linear.h>

#include <optional>
#include <string_view>

#include "reranker/model/device.hpp"

namespace qrerank::reranker::model {
namespace {

/// Rows that weights are packed for; other counts run on the same packing.
constexpr std::int64_t kPackedRows = 512;

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

at::Tensor pointwise(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias,
                     std::string_view attribute) {
  return onednn()->pointwise.call(x, weight, bias, attribute, c10::List<std::optional<at::Scalar>>(), "none");
}

}  // namespace

Linear::Linear(const DenseWeights& weights, const c10::Device& device)
    : weight_(weights.weight.to(device)),
      bias_(weights.bias.to(device, arithmetic_dtype(weights.weight.scalar_type(), device))) {
  const bool multiplied_as_kept = weight_.scalar_type() == bias_.scalar_type();
  if (device.is_cpu() && multiplied_as_kept && onednn() != nullptr) {
    weight_ = onednn()->reorder.call(weight_, c10::SymInt(kPackedRows));
    packed_ = true;
  }
}

at::Tensor Linear::plain(const at::Tensor& x) const {
  return at::linear(x, weight_.to(bias_.scalar_type()), bias_);  // no copy where the dtypes are equal
}

at::Tensor Linear::apply(const at::Tensor& x) const {
  return packed_ ? pointwise(x, weight_, bias_, "none") : plain(x);
}

at::Tensor Linear::apply_gelu(const at::Tensor& x) const {
  return packed_ ? pointwise(x, weight_, bias_, "gelu") : at::gelu(plain(x));
}

at::Tensor Linear::apply_plus(const at::Tensor& x, const at::Tensor& residual) const {
  if (!packed_) return at::add(plain(x), residual);
  return onednn()->binary.call(x, residual, weight_, bias_, "add");
}

at::Tensor normalize(const at::Tensor& x, const NormWeights& norm) {
  return at::layer_norm(x, norm.weight.sizes(), norm.weight, norm.bias, norm.eps);
}

}  // namespace qrerank::reranker::model
