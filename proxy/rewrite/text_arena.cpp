#include "proxy/rewrite/text_arena.hpp"

#include <algorithm>

namespace qrerank::proxy::rewrite {

char* TextArena::room(std::size_t size) {
  if (free_ - size_ < size) {
    const std::size_t block = std::max(next_block_, size_ + size);
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(block));
    std::copy_n(begin_, size_, blocks_.back().get());
    begin_ = blocks_.back().get();
    free_ = block;
    next_block_ = 2 * block;
  }
  return begin_ + size_;
}

void TextArena::append(std::string_view piece) {
  extend(std::copy(piece.begin(), piece.end(), room(piece.size())));
}

std::string_view TextArena::close() {
  const std::string_view text = open();
  begin_ += size_;
  free_ -= size_;
  size_ = 0;
  return text;
}

}  // namespace qrerank::proxy::rewrite
