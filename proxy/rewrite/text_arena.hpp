// Where texts stand that are no slices of an answer: bytes that stay in their place however many follow.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace qrerank::proxy::rewrite {

/// One text is open at a time, at first empty; what is written goes to its end. Closed ones stay where they
/// are as long as the arena (or what it was moved into) lives. Blocks double: as many allocations as the
/// logarithm of the bytes.
class TextArena {
 public:
  /// `size` bytes to write to, behind the open text; they are part of it up to where extend() says. The open
  /// text may move.
  char* room(std::size_t size);
  void extend(const char* end) { size_ = static_cast<std::size_t>(end - begin_); }

  void append(std::string_view piece);
  [[nodiscard]] std::string_view open() const { return {begin_, size_}; }
  /// Takes the open text back to its first `size` bytes.
  void cut(std::size_t size) { size_ = size; }
  /// The open text, which is now kept; the next one is empty.
  std::string_view close();

 private:
  static constexpr std::size_t kFirstBlock = 32 * 1024;

  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t next_block_ = kFirstBlock;
  char* begin_ = nullptr;  ///< of the open text
  std::size_t size_ = 0;
  std::size_t free_ = 0;  ///< bytes from begin_ to the end of its block
};

}  // namespace qrerank::proxy::rewrite
