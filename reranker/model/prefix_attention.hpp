// Causal attention over packed sequences that may share prefixes: each token looks at its sequence's prefix,
// whole, and at its own sequence up to itself. No padding is computed, and no prefix twice.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "reranker/model/prefix_kv.hpp"

namespace qrerank::reranker::model {

/// One packed sequence: its rows, and those of them that ask. Either all rows ask, or the last alone.
struct CausalSpan {
  std::int64_t begin = 0;  ///< row of keys and values
  std::int64_t length = 0;
  std::int64_t query_begin = 0;  ///< row of queries
  std::int64_t queries = 0;      ///< length, or 1: the last row
};

/// Neighbouring sequences with the same prefix.
struct PrefixGroup {
  const PrefixKv* prefix = nullptr;  ///< null: none
  std::vector<CausalSpan> spans;     ///< side by side, in the order of their rows

  [[nodiscard]] std::int64_t query_begin() const { return spans.front().query_begin; }
  [[nodiscard]] std::int64_t queries() const;
};

/// `q` [queries, heads, head_dim], `kv` [tokens, 2, kv_heads, head_dim], to [queries, heads * head_dim].
/// `layer` says which of the prefixes' layers is meant.
///
/// On the CPU each group's queries meet their prefix in one call, each sequence its own tokens in another,
/// and the two are merged by the weight of their sums (exact: softmax over both). Query heads that share a
/// key head are views on it, nothing is repeated. On a GPU half types go through one variable-length flash
/// call.
[[nodiscard]] at::Tensor attend_with_prefix(const at::Tensor& q, const at::Tensor& kv,
                                            const std::vector<PrefixGroup>& groups, std::size_t layer);

/// The same, sequence by sequence over prefix and own tokens put together, by the plain operator: for devices
/// and dtypes without the calls above, and what tests compare with.
[[nodiscard]] at::Tensor attend_over_joined(const at::Tensor& q, const at::Tensor& kv,
                                            const std::vector<PrefixGroup>& groups, std::size_t layer);

}  // namespace qrerank::reranker::model
