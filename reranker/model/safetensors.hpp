// The safetensors format: the header's bytes to a checked list of tensors. Pure and torch-free; files are in
// checkpoint.hpp, tensors in weights.hpp. Format: 8 bytes little-endian header length, that many bytes of
// JSON
// ({"name": {"dtype", "shape", "data_offsets": [begin, end]}, …, "__metadata__": {string: string}}), the
// data.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace qrerank::reranker::model {

struct TensorEntry {
  std::string name;
  std::string dtype;                ///< "F32", "BF16", … as the file spells it
  std::vector<std::int64_t> shape;  ///< empty for a scalar
  std::uint64_t begin = 0;          ///< bytes from the start of the data
  std::uint64_t end = 0;
};

/// A shape as people write it: "[2, 384]".
[[nodiscard]] std::string shape_text(std::span<const std::int64_t> shape);

/// Headers above this are refused; the format's own implementation draws the same line.
inline constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
inline constexpr std::uint64_t kHeaderLengthBytes = 8;

/// Checks the JSON of a header against the `data_bytes` that follow it: known dtypes, shape x size equal to
/// the range, ranges that cover the data without overlap or hole, no name twice. Entries come in the order of
/// their data. The error names the tensor, what was expected and what was found.
[[nodiscard]] tl::expected<std::vector<TensorEntry>, std::string> parse_safetensors_header(
    std::string_view json, std::uint64_t data_bytes);

/// Splits a whole file: header checked, and where its data begins.
struct SafetensorsLayout {
  std::vector<TensorEntry> tensors;
  std::uint64_t data_offset = 0;
};
[[nodiscard]] tl::expected<SafetensorsLayout, std::string> parse_safetensors(std::string_view file);

}  // namespace qrerank::reranker::model
