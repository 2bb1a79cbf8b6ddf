// Bidirectional attention over packed sequences: each looks at its own tokens only, no padding is computed.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace qrerank::reranker::model {

/// Equal-length sequences that lie side by side: `count` of `length` tokens, from row `begin` on.
struct SequenceRun {
  std::int64_t begin = 0;
  std::int64_t count = 0;
  std::int64_t length = 0;
};

/// Neighbours of equal length become one run, hence one call.
[[nodiscard]] std::vector<SequenceRun> runs_of(const std::vector<std::int64_t>& lengths);

/// qkv [tokens, 3 * hidden] (queries, keys, values side by side) to [tokens, hidden].
[[nodiscard]] at::Tensor attend(const at::Tensor& qkv, const std::vector<SequenceRun>& runs,
                                std::int64_t heads);

/// The same for one query per sequence: q [sequences, hidden], kv [tokens, 2 * hidden] to
/// [sequences, hidden].
[[nodiscard]] at::Tensor attend_first(const at::Tensor& q, const at::Tensor& kv,
                                      const std::vector<SequenceRun>& runs, std::int64_t heads);

}  // namespace qrerank::reranker::model
