// Opening what a model's folder holds: files, and nothing else. A pipe would block whoever opens it, a device
// may never end. Mapping is in model/checkpoint.hpp; what the bytes mean is the caller's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace qrerank::reranker {

/// Open for reading, closed at the end.
class RegularFile {
 public:
  /// Follows links. Never blocks; the error names the path: "PATH: not a regular file".
  [[nodiscard]] static tl::expected<RegularFile, std::string> open(const std::filesystem::path& path);

  RegularFile(RegularFile&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}
  RegularFile& operator=(RegularFile&&) = delete;
  ~RegularFile();

  [[nodiscard]] int descriptor() const { return descriptor_; }
  /// Bytes, when it was opened.
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  RegularFile(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}

  int descriptor_;
  std::uint64_t size_;
};

/// A whole file of at most `max_bytes`. The error names it.
[[nodiscard]] tl::expected<std::string, std::string> read_regular_file(const std::filesystem::path& path,
                                                                       std::uint64_t max_bytes);

}  // namespace qrerank::reranker
