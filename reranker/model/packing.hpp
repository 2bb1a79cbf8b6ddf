// A batch cut into packed pieces, each small enough for the caches and big enough for the multipliers. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace qrerank::reranker::model {

/// Indices of the sequences of each piece, the largest piece first. Sequences go by falling length (equal
/// ones by index) to the piece that has the fewest tokens yet, so that pieces are alike and threads that
/// compute them side by side end together. A piece has about `piece_tokens`, at most a quarter more; a longer
/// sequence has one of its own.
[[nodiscard]] std::vector<std::vector<std::size_t>> cut_into_pieces(std::span<const std::size_t> lengths,
                                                                    std::size_t piece_tokens);

}  // namespace qrerank::reranker::model
