// A batch cut into packed pieces, each small enough for the caches and big enough for the multipliers. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace qrerank::reranker::model {

/// Indices of the sequences of each piece. Sequences are taken by falling length (equal ones by index), so
/// that equal lengths lie side by side and the last piece is the smallest; a piece is closed when the next
/// sequence would take it over `piece_tokens`. A longer sequence has a piece of its own.
[[nodiscard]] std::vector<std::vector<std::size_t>> cut_into_pieces(std::span<const std::size_t> lengths,
                                                                    std::size_t piece_tokens);

}  // namespace qrerank::reranker::model
