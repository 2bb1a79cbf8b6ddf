// The bytes read from one socket and not used yet: contiguous, with a fixed capacity that only its owner
// changes. Views into it live until consume, make_room or reset.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <string_view>

namespace qrerank::proxy::http {

class Buffer {
 public:
  explicit Buffer(std::size_t capacity) : capacity_(capacity), bytes_(allocate(capacity)) {}

  [[nodiscard]] std::string_view view() const { return {bytes_.get() + begin_, end_ - begin_}; }
  [[nodiscard]] char* data() { return bytes_.get() + begin_; }
  [[nodiscard]] std::size_t size() const { return end_ - begin_; }
  [[nodiscard]] bool empty() const { return begin_ == end_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

  /// Where the next read may put bytes; nothing moves. May be empty.
  [[nodiscard]] char* tail() { return bytes_.get() + end_; }
  [[nodiscard]] std::size_t tail_size() const { return capacity_ - end_; }
  void commit(std::size_t n) { end_ += n; }

  void consume(std::size_t n) {
    begin_ += n;
    if (begin_ == end_) begin_ = end_ = 0;
  }

  /// Moves what is left to the front and, when `capacity` is larger than now, into a larger block.
  void make_room(std::size_t capacity) {
    if (capacity > capacity_) {
      auto larger = allocate(capacity);
      std::memcpy(larger.get(), data(), size());
      bytes_ = std::move(larger);
      capacity_ = capacity;
    } else if (begin_ > 0) {
      std::memmove(bytes_.get(), data(), size());
    }
    end_ -= begin_;
    begin_ = 0;
  }

  /// An empty buffer back at `capacity`: a connection that once streamed much does not keep its large block.
  void reset(std::size_t capacity) {
    begin_ = end_ = 0;
    if (capacity_ == capacity) return;
    bytes_ = allocate(capacity);
    capacity_ = capacity;
  }

 private:
  // Not zeroed: pages that are never read into cost no memory.
  static std::unique_ptr<char[]> allocate(std::size_t capacity) {
    return std::make_unique_for_overwrite<char[]>(capacity);
  }

  std::size_t capacity_;
  std::unique_ptr<char[]> bytes_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

}  // namespace qrerank::proxy::http
