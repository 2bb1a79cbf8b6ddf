#include "reranker/model/weights.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

namespace qrerank::reranker::model {
namespace {

/// Bytes of a file that are converted together: bounds what loading needs beside the result.
constexpr std::size_t kStretchBytes = std::size_t{1} << 20U;

std::optional<c10::ScalarType> stored_type(std::string_view dtype) {
  if (dtype == "F32") return c10::kFloat;
  if (dtype == "BF16") return c10::kBFloat16;
  if (dtype == "F16") return c10::kHalf;
  return std::nullopt;
}

/// Bytes of a file as a tensor of its type. Copied: a file's tensors need not be aligned.
at::Tensor copied(std::span<const std::byte> bytes, at::IntArrayRef shape, c10::ScalarType type) {
  auto tensor = at::empty(shape, type);
  std::memcpy(tensor.data_ptr(), bytes.data(), bytes.size());
  return tensor;
}

/// Room for a matrix, not filled.
KeptMatrix place(std::int64_t rows, std::int64_t columns, c10::ScalarType dtype) {
  const bool scaled = dtype == c10::kChar;
  return {.values = at::empty({rows, columns}, dtype),
          .scale = scaled ? at::empty({rows}, c10::kFloat) : at::Tensor()};
}

}  // namespace

const StoredTensor* WeightReader::find(const std::string& name, std::span<const std::int64_t> shape) {
  if (!error_.empty()) return nullptr;
  const auto* stored = checkpoint_.find(name);
  if (stored == nullptr) {
    error_ = "tensor '" + name + "': expected shape " + shape_text(shape) + ", found no such tensor";
    return nullptr;
  }
  const auto& entry = stored->entry;
  const bool known = stored_type(entry.dtype).has_value();
  if (!known || !std::ranges::equal(shape, entry.shape)) {
    error_ = stored->file + ": tensor '" + name + "': expected " +
             (known ? "shape " + shape_text(shape) : std::string("dtype F32, BF16 or F16")) + ", found " +
             (known ? shape_text(entry.shape) : entry.dtype);
    return nullptr;
  }
  read_.insert(stored);
  return stored;
}

bool WeightReader::whole(const StoredTensor& stored) {
  if (stored.source->is_whole()) return true;
  if (error_.empty())
    error_ = stored.file + ": tensor '" + stored.entry.name + "': the file became shorter while it was read";
  return false;
}

void WeightReader::copy_rows(const StoredTensor& stored, std::int64_t columns, const KeptMatrix& into) {
  const auto type = *stored_type(stored.entry.dtype);
  const auto rows = into.rows();
  const auto row_bytes = stored.bytes.size() / static_cast<std::size_t>(rows);
  const auto stretch = static_cast<std::int64_t>(std::max<std::size_t>(1, kStretchBytes / row_bytes));
  for (std::int64_t row = 0; row < rows; row += stretch) {
    const auto count = std::min(stretch, rows - row);
    const auto bytes = stored.bytes.subspan(static_cast<std::size_t>(row) * row_bytes,
                                            static_cast<std::size_t>(count) * row_bytes);
    if (!whole(stored)) return;
    const auto read = copied(bytes, {count, columns}, type);
    if (into.scale.defined()) {
      const auto quantized = quantize_rows(read.to(c10::kFloat));
      const auto rows_there = into.narrow(row, count);
      rows_there.values.copy_(quantized.values);
      rows_there.scale.copy_(quantized.scale);
    } else {
      into.values.narrow(0, row, count).copy_(read);
    }
    release_pages(bytes);
    if (progress_ != nullptr) progress_->add(bytes.size());
  }
}

at::Tensor WeightReader::read(const std::string& name, std::span<const std::int64_t> shape,
                              c10::ScalarType dtype) {
  const auto* stored = find(name, shape);
  if (stored == nullptr) return {};
  const std::int64_t rows = shape.empty() ? 1 : shape[0];
  const std::int64_t all = static_cast<std::int64_t>(stored->bytes.size()) /
                           static_cast<std::int64_t>(c10::elementSize(*stored_type(stored->entry.dtype)));
  const auto matrix = place(rows, all / rows, dtype);
  copy_rows(*stored, all / rows, matrix);
  return matrix.values.view(at::IntArrayRef(shape.data(), shape.size()));
}

at::Tensor WeightReader::read_row(const std::string& name, std::int64_t rows, std::int64_t columns,
                                  std::int64_t row) {
  const auto* stored = find(name, std::array{rows, columns});
  if (stored == nullptr) return {};
  if (!whole(*stored)) return {};
  const auto row_bytes = stored->bytes.size() / static_cast<std::size_t>(rows);
  const auto bytes = stored->bytes.subspan(static_cast<std::size_t>(row) * row_bytes, row_bytes);
  return copied(bytes, {columns}, *stored_type(stored->entry.dtype)).to(c10::kDouble);
}

KeptMatrix WeightReader::matrix(const std::vector<Part>& parts, std::int64_t columns, c10::ScalarType dtype) {
  // All are looked up before the place is made: a wrong config.json must not ask for memory.
  std::int64_t rows = 0;
  for (const auto& part : parts) {
    if (find(part.name, std::array{part.rows, columns}) == nullptr) return {};
    rows += part.rows;
  }
  const auto matrix = place(rows, columns, dtype);
  std::int64_t row = 0;
  for (const auto& part : parts) {
    copy_rows(*checkpoint_.find(part.name), columns, matrix.narrow(row, part.rows));
    row += part.rows;
  }
  return matrix;
}

DenseWeights WeightReader::dense(const std::vector<std::string>& scopes, std::int64_t in, std::int64_t out,
                                 c10::ScalarType dtype) {
  std::vector<Part> parts;
  for (const auto& scope : scopes) parts.push_back({.name = scope + ".weight", .rows = out});
  DenseWeights weights{.weight = matrix(parts, in, dtype), .bias = {}};
  const auto bias = place(static_cast<std::int64_t>(scopes.size()) * out, 1, c10::kFloat);
  std::int64_t row = 0;
  for (const auto& scope : scopes) {
    const auto* stored = find(scope + ".bias", std::array{out});
    if (stored == nullptr) return {};
    copy_rows(*stored, 1, bias.narrow(row, out));
    row += out;
  }
  weights.bias = bias.values.squeeze(1);
  return weights;
}

NormWeights WeightReader::norm(const std::string& scope, std::int64_t size, double eps) {
  NormWeights weights;
  weights.weight = read(scope + ".weight", std::array{size}, c10::kFloat);
  weights.bias = read(scope + ".bias", std::array{size}, c10::kFloat);
  weights.eps = eps;
  return weights;
}

void WeightReader::expect_all_read(const std::string& scope) {
  for (const auto& [name, stored] : checkpoint_.tensors()) {
    if (error_.empty() && name.starts_with(scope) && !read_.contains(&stored)) {
      error_ = stored.file + ": tensor '" + name + "': expected no such tensor by config.json, found shape " +
               shape_text(stored.entry.shape);
    }
  }
}

}  // namespace qrerank::reranker::model
