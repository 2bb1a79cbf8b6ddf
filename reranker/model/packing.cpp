#include "reranker/model/packing.hpp"

#include <algorithm>
#include <numeric>

namespace qrerank::reranker::model {

std::vector<std::vector<std::size_t>> cut_into_pieces(std::span<const std::size_t> lengths,
                                                      std::size_t piece_tokens) {
  std::vector<std::size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return lengths[a] != lengths[b] ? lengths[a] > lengths[b] : a < b;
  });
  std::vector<std::vector<std::size_t>> pieces;
  std::size_t tokens = 0;
  for (const auto index : order) {
    if (pieces.empty() || tokens + lengths[index] > piece_tokens) {
      pieces.emplace_back();
      tokens = 0;
    }
    pieces.back().push_back(index);
    tokens += lengths[index];
  }
  return pieces;
}

}  // namespace qrerank::reranker::model
