// Matrices as they are kept in memory, and how their rows become numbers to multiply.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <cstdint>

namespace qrerank::reranker::model {

/// A matrix in a float dtype, or in int8 (c10::kChar) with one factor for each row.
struct KeptMatrix {
  at::Tensor values;  // [rows, columns]
  at::Tensor scale;   // [rows] float32; undefined unless int8

  [[nodiscard]] c10::ScalarType dtype() const { return values.scalar_type(); }
  [[nodiscard]] std::int64_t rows() const { return values.size(0); }
  [[nodiscard]] std::int64_t columns() const { return values.size(1); }

  /// The same memory.
  [[nodiscard]] KeptMatrix narrow(std::int64_t begin, std::int64_t count) const;
  [[nodiscard]] KeptMatrix to(const c10::Device& device) const;

  /// Rows `ids` [n] as [n, columns] in `arithmetic`.
  [[nodiscard]] at::Tensor lookup(const at::Tensor& ids, c10::ScalarType arithmetic) const;
};

/// Rows to int8: each row's largest magnitude becomes 127. `rows` [n, columns] float32.
[[nodiscard]] KeptMatrix quantize_rows(const at::Tensor& rows);

}  // namespace qrerank::reranker::model
