// A model folder's weights: one safetensors file or an index of several, mapped, not copied. Torch-free;
// weights.hpp makes tensors of what is found here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "reranker/model/safetensors.hpp"
#include "reranker/regular_file.hpp"

namespace qrerank::reranker::model {

/// One file mapped read-only for as long as the object lives.
class MappedFile {
 public:
  [[nodiscard]] static tl::expected<std::unique_ptr<MappedFile>, std::string> open(
      const std::filesystem::path& path);

  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::string_view bytes() const { return {data_, size_}; }

  /// Whether the file is as long as it was when it was mapped. Reading beyond the end of one that somebody
  /// has cut meanwhile ends the process: ask before each stretch that is read later.
  [[nodiscard]] bool is_whole() const;

 private:
  MappedFile(RegularFile file, const char* data) : file_(std::move(file)), data_(data), size_(file_.size()) {}

  RegularFile file_;
  const char* data_;
  std::size_t size_;
};

/// Where one tensor lies: its file's name, for errors, and its bytes there.
struct StoredTensor {
  std::string file;
  TensorEntry entry;
  std::span<const std::byte> bytes;
  const MappedFile* source = nullptr;  ///< the checkpoint's
};

/// Says that these bytes of a mapped file were read for the last time, for now: their pages leave the
/// process's memory (and come back from the file if read again). Whole pages inside the range only.
void release_pages(std::span<const std::byte> bytes);

class Checkpoint {
 public:
  /// Reads `model.safetensors` if it is there (as transformers does where both are), else
  /// `model.safetensors.index.json` with the files it names.
  /// Every header is checked here (safetensors.hpp); the error names the file.
  [[nodiscard]] static tl::expected<Checkpoint, std::string> open(const std::filesystem::path& folder);

  /// Null when there is no such tensor.
  [[nodiscard]] const StoredTensor* find(const std::string& name) const;

  /// By name.
  [[nodiscard]] const std::map<std::string, StoredTensor>& tensors() const { return tensors_; }

  [[nodiscard]] std::uint64_t total_bytes() const { return total_bytes_; }

  /// Names, sizes and modification times of the files, those of configuration and tokenizer among them:
  /// changes when another model takes their place.
  [[nodiscard]] const std::string& fingerprint() const { return fingerprint_; }

 private:
  tl::expected<void, std::string> add_file(const std::filesystem::path& path);
  void add_fingerprint(const std::filesystem::path& path);  // of a file that may be missing

  std::vector<std::unique_ptr<MappedFile>> files_;
  std::map<std::string, StoredTensor> tensors_;
  std::uint64_t total_bytes_ = 0;
  std::string fingerprint_;
};

}  // namespace qrerank::reranker::model
