#include "reranker/model/packing.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace qrerank::reranker::model {
namespace {

/// A piece may be larger by one part in so many, where that makes them all alike.
constexpr std::size_t kSlack = 4;

struct Piece {
  std::vector<std::size_t> indexes;
  std::size_t tokens = 0;
};

}  // namespace

std::vector<std::vector<std::size_t>> cut_into_pieces(std::span<const std::size_t> lengths,
                                                      std::size_t piece_tokens) {
  std::vector<std::size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return lengths[a] != lengths[b] ? lengths[a] > lengths[b] : a < b;
  });
  std::size_t tokens = 0;  // a sequence that is larger than a piece fills one
  for (const auto length : lengths) tokens += std::min(length, piece_tokens);
  std::vector<Piece> pieces(std::max<std::size_t>(1, (tokens + piece_tokens - 1) / piece_tokens));
  for (const auto index : order) {
    auto least = std::ranges::min_element(pieces, {}, &Piece::tokens);
    if (!least->indexes.empty() && least->tokens + lengths[index] > piece_tokens + piece_tokens / kSlack) {
      least = pieces.insert(pieces.end(), Piece{});
    }
    least->indexes.push_back(index);
    least->tokens += lengths[index];
  }
  std::erase_if(pieces, [](const Piece& piece) { return piece.indexes.empty(); });
  std::ranges::sort(pieces, [](const Piece& a, const Piece& b) {
    return std::pair(b.tokens, a.indexes.front()) < std::pair(a.tokens, b.indexes.front());
  });
  std::vector<std::vector<std::size_t>> cut;
  for (auto& piece : pieces) cut.push_back(std::move(piece.indexes));
  return cut;
}

}  // namespace qrerank::reranker::model
