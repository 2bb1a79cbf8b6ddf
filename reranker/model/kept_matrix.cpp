#include "reranker/model/kept_matrix.hpp"

#include <ATen/ops/round.h>
#include <ATen/ops/where.h>

namespace qrerank::reranker::model {

KeptMatrix KeptMatrix::narrow(std::int64_t begin, std::int64_t count) const {
  return {.values = values.narrow(0, begin, count),
          .scale = scale.defined() ? scale.narrow(0, begin, count) : at::Tensor()};
}

KeptMatrix KeptMatrix::to(const c10::Device& device) const {
  return {.values = values.to(device), .scale = scale.defined() ? scale.to(device) : at::Tensor()};
}

at::Tensor KeptMatrix::lookup(const at::Tensor& ids, c10::ScalarType arithmetic) const {
  const auto rows = values.index_select(0, ids);
  if (!scale.defined()) return rows.to(arithmetic);
  return rows.to(c10::kFloat).mul_(scale.index_select(0, ids).unsqueeze(1)).to(arithmetic);
}

KeptMatrix quantize_rows(const at::Tensor& rows) {
  const auto largest = rows.abs().amax({1});                             // [n]
  const auto scale = at::where(largest.eq(0), 1.0, largest.div(127.0));  // [n]
  const auto values = rows.div(scale.unsqueeze(1)).round_().to(c10::kChar);
  return {.values = values, .scale = scale.to(c10::kFloat)};
}

}  // namespace qrerank::reranker::model
