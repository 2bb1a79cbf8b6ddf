#include "reranker/model/prefix_attention.hpp"

#include <ATen/ops/_flash_attention_forward.h>
#include <ATen/ops/_scaled_dot_product_flash_attention_for_cpu.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/lerp.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scaled_dot_product_attention.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <tuple>

namespace qrerank::reranker::model {
namespace {

/// Rows [length, kv_heads, head_dim] as [kv_heads, group, length, head_dim]: each key head stands for its
/// group of query heads by a stride of zero.
at::Tensor shared_heads(const at::Tensor& rows, std::int64_t group) {
  return rows.permute({1, 0, 2}).unsqueeze(1).expand({-1, group, -1, -1});
}

struct Part {
  at::Tensor mixed;    // [kv_heads, group, queries, head_dim]
  at::Tensor log_sum;  // [kv_heads, group, queries] float32
};

/// `q` [kv_heads, group, queries, head_dim] over `kv` [length, 2, kv_heads, head_dim].
Part attend(const at::Tensor& q, const at::Tensor& kv, bool causal) {
  auto [mixed, log_sum] = at::_scaled_dot_product_flash_attention_for_cpu(
      q, shared_heads(kv.select(1, 0), q.size(1)), shared_heads(kv.select(1, 1), q.size(1)), 0.0, causal);
  return {.mixed = std::move(mixed), .log_sum = std::move(log_sum)};
}

/// softmax over both sets of keys = each set's own mix, weighted by its share of the exponentials' sum.
void merge_into(at::Tensor into, const Part& own, const at::Tensor& prefix_mixed,
                const at::Tensor& prefix_log_sum) {
  const auto share = at::sigmoid(prefix_log_sum.sub(own.log_sum)).unsqueeze(-1);  // the prefix's
  if (into.scalar_type() == c10::kFloat) {
    at::lerp_out(into, own.mixed, prefix_mixed, share);
  } else {
    into.copy_(at::lerp(own.mixed.to(c10::kFloat), prefix_mixed.to(c10::kFloat), share));
  }
}

at::Tensor attend_by_parts(const at::Tensor& q, const at::Tensor& kv, const std::vector<PrefixGroup>& groups,
                           std::size_t layer) {
  const auto kv_heads = kv.size(2);
  const auto head_dim = q.size(2);
  const auto group_size = q.size(1) / kv_heads;
  auto out = at::empty({q.size(0), kv_heads, group_size, head_dim}, q.options());
  const auto queries = q.view(out.sizes()).permute({1, 2, 0, 3});  // [kv_heads, group, queries, head_dim]
  const auto places = out.permute({1, 2, 0, 3});
  for (const auto& group : groups) {
    const auto first = group.query_begin();
    Part prefix;
    if (group.prefix != nullptr) {
      prefix = attend(queries.narrow(2, first, group.queries()), group.prefix->layers[layer], false);
    }
    for (const auto& span : group.spans) {
      const auto own = attend(queries.narrow(2, span.query_begin, span.queries),
                              kv.narrow(0, span.begin, span.length), span.queries > 1);
      auto into = places.narrow(2, span.query_begin, span.queries);
      if (group.prefix == nullptr) {
        into.copy_(own.mixed);
      } else {
        const auto at = span.query_begin - first;
        merge_into(into, own, prefix.mixed.narrow(2, at, span.queries),
                   prefix.log_sum.narrow(2, at, span.queries));
      }
    }
  }
  return out.view({q.size(0), -1});
}

/// Keys and values of a sequence with its prefix before them: [prefix + length, 2, kv_heads, head_dim].
at::Tensor joined(const at::Tensor& kv, const PrefixGroup& group, const CausalSpan& span, std::size_t layer) {
  const auto own = kv.narrow(0, span.begin, span.length);
  return group.prefix == nullptr ? own : at::cat({group.prefix->layers[layer], own});
}

/// One call of flash attention for all sequences of the piece, whatever their lengths: FlashAttention-2,
/// whose causal mask is aligned to the last key, as sequences behind a prefix need it.
at::Tensor attend_in_one_call(const at::Tensor& q, const at::Tensor& kv,
                              const std::vector<PrefixGroup>& groups, std::size_t layer) {
  std::vector<at::Tensor> keys;
  std::vector<std::int32_t> query_ends{0};
  std::vector<std::int32_t> key_ends{0};
  std::int64_t most_queries = 0;
  std::int64_t most_keys = 0;
  for (const auto& group : groups) {
    for (const auto& span : group.spans) {
      keys.push_back(joined(kv, group, span, layer));
      query_ends.push_back(query_ends.back() + static_cast<std::int32_t>(span.queries));
      key_ends.push_back(key_ends.back() + static_cast<std::int32_t>(keys.back().size(0)));
      most_queries = std::max(most_queries, span.queries);
      most_keys = std::max(most_keys, keys.back().size(0));
    }
  }
  const auto all = at::cat(keys);
  const auto on_device = [&](const std::vector<std::int32_t>& ends) {
    return at::tensor(ends, c10::TensorOptions(c10::kInt)).to(q.device());
  };
  const auto mixed = std::get<0>(at::_flash_attention_forward(
      q.contiguous(), all.select(1, 0), all.select(1, 1), on_device(query_ends), on_device(key_ends),
      most_queries, most_keys, 0.0, /*is_causal=*/true, /*return_debug_mask=*/false));
  return mixed.reshape({q.size(0), -1});
}

/// Whether this device has the kernels of that call (an NVIDIA GPU of 2020 or later): tried once.
bool one_call_works(const at::Tensor& q) {
  static const bool works = [&] {
    try {
      const auto one = at::zeros({1, 1, q.size(2)}, q.options());
      const auto ends = at::tensor({0, 1}, c10::TensorOptions(c10::kInt)).to(q.device());
      (void)at::_flash_attention_forward(one, one, one, ends, ends, 1, 1, 0.0, true, false);
      return true;
    } catch (const c10::Error&) {
      return false;
    }
  }();
  return works;
}

}  // namespace

std::int64_t PrefixGroup::queries() const {
  const auto& last = spans.back();
  return last.query_begin + last.queries - query_begin();
}

at::Tensor attend_over_joined(const at::Tensor& q, const at::Tensor& kv,
                              const std::vector<PrefixGroup>& groups, std::size_t layer) {
  const auto kv_heads = kv.size(2);
  const auto group_size = q.size(1) / kv_heads;
  auto out = at::empty(q.sizes(), q.options());
  for (const auto& group : groups) {
    for (const auto& span : group.spans) {
      const auto all = joined(kv, group, span, layer);
      const auto rows = q.narrow(0, span.query_begin, span.queries);
      // Row r sees all keys but the last queries - 1 - r.
      const auto seen = at::ones({span.queries, all.size(0)}, q.options().dtype(c10::kBool))
                            .tril(all.size(0) - span.queries);
      const auto heads = [&](std::int64_t which) {
        return shared_heads(all.select(1, which), group_size).reshape({1, q.size(1), all.size(0), q.size(2)});
      };
      const auto mixed = at::scaled_dot_product_attention(rows.transpose(0, 1).unsqueeze(0), heads(0),
                                                          heads(1), seen);  // [1, heads, queries, head_dim]
      out.narrow(0, span.query_begin, span.queries).copy_(mixed.squeeze(0).transpose(0, 1));
    }
  }
  return out.view({q.size(0), -1});
}

at::Tensor attend_with_prefix(const at::Tensor& q, const at::Tensor& kv,
                              const std::vector<PrefixGroup>& groups, std::size_t layer) {
  if (q.is_cpu()) return attend_by_parts(q, kv, groups, layer);
  if (q.scalar_type() == c10::kFloat || !one_call_works(q)) return attend_over_joined(q, kv, groups, layer);
  return attend_in_one_call(q, kv, groups, layer);
}

}  // namespace qrerank::reranker::model
