#include "reranker/model/attention.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/scaled_dot_product_attention.h>

namespace qrerank::reranker::model {
namespace {

/// Columns [part * hidden, (part + 1) * hidden) of a run's rows as [count, heads, length, head_dim].
at::Tensor heads_of(const at::Tensor& rows, std::int64_t part, std::int64_t hidden, std::int64_t heads,
                    const SequenceRun& run) {
  return rows.narrow(0, run.begin, run.count * run.length)
      .narrow(1, part * hidden, hidden)
      .view({run.count, run.length, heads, hidden / heads})
      .transpose(1, 2);
}

}  // namespace

std::vector<SequenceRun> runs_of(const std::vector<std::int64_t>& lengths) {
  std::vector<SequenceRun> runs;
  std::int64_t begin = 0;
  for (const auto length : lengths) {
    if (runs.empty() || runs.back().length != length) {
      runs.push_back({.begin = begin, .count = 0, .length = length});
    }
    ++runs.back().count;
    begin += length;
  }
  return runs;
}

at::Tensor attend(const at::Tensor& qkv, const std::vector<SequenceRun>& runs, std::int64_t heads) {
  const auto hidden = qkv.size(1) / 3;
  auto out = at::empty({qkv.size(0), hidden}, qkv.options());
  for (const auto& run : runs) {
    const auto mixed = at::scaled_dot_product_attention(heads_of(qkv, 0, hidden, heads, run),
                                                        heads_of(qkv, 1, hidden, heads, run),
                                                        heads_of(qkv, 2, hidden, heads, run));
    out.narrow(0, run.begin, run.count * run.length)
        .view({run.count, run.length, heads, hidden / heads})
        .copy_(mixed.transpose(1, 2));
  }
  return out;
}

at::Tensor attend_first(const at::Tensor& q, const at::Tensor& kv, const std::vector<SequenceRun>& runs,
                        std::int64_t heads) {
  const auto hidden = q.size(1);
  auto out = at::empty(q.sizes(), q.options());
  std::int64_t sequence = 0;
  for (const auto& run : runs) {
    const auto queries = heads_of(q, 0, hidden, heads, {sequence, run.count, 1});
    const auto mixed = at::scaled_dot_product_attention(queries, heads_of(kv, 0, hidden, heads, run),
                                                        heads_of(kv, 1, hidden, heads, run));
    out.narrow(0, sequence, run.count)
        .view({run.count, 1, heads, hidden / heads})
        .copy_(mixed.transpose(1, 2));
    sequence += run.count;
  }
  return out;
}

}  // namespace qrerank::reranker::model
