// A checkpoint's tensors, by name and expected shape, as ATen tensors in the dtype to keep. Read in stretches
// of rows, straight into their place, and the file's pages given back behind: loading needs little more
// memory than what it leaves.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "reranker/model/checkpoint.hpp"
#include "reranker/model/kept_matrix.hpp"
#include "reranker/model/load_progress.hpp"

namespace qrerank::reranker::model {

/// A dense layer as checkpoints keep it.
struct DenseWeights {
  KeptMatrix weight;  // [out, in]
  at::Tensor bias;    // [out] float32; undefined where the layer has none
};

struct NormWeights {
  at::Tensor weight;  // [hidden], float32
  at::Tensor bias;    // [hidden], float32
  double eps = 0;
};

/// Reads tensors; the first failure sticks, names file, tensor, expected and found, and makes later reads
/// return undefined tensors: check `error()` before using any of them.
class WeightReader {
 public:
  /// What is read is added to `progress`, if there is one.
  explicit WeightReader(const Checkpoint& checkpoint, LoadProgress* progress = nullptr)
      : checkpoint_(checkpoint), progress_(progress) {}

  /// A copy of the tensor in `dtype`, a float one, on the CPU. F32, BF16 and F16 are read.
  at::Tensor read(const std::string& name, std::span<const std::int64_t> shape, c10::ScalarType dtype);

  /// Row `row` of a matrix of that shape, float64.
  at::Tensor read_row(const std::string& name, std::int64_t rows, std::int64_t columns, std::int64_t row);

  /// A part of a stacked matrix.
  struct Part {
    std::string name;
    std::int64_t rows = 0;
  };
  /// Matrices of equal width stacked along their rows, kept in `dtype`, a float one or int8 (c10::kChar).
  KeptMatrix matrix(const std::vector<Part>& parts, std::int64_t columns, c10::ScalarType dtype);

  /// The layers at `scopes`, each `out` outputs, stacked: `scope`.weight and `scope`.bias.
  DenseWeights dense(const std::vector<std::string>& scopes, std::int64_t in, std::int64_t out,
                     c10::ScalarType dtype);
  NormWeights norm(const std::string& scope, std::int64_t size, double eps);

  /// Fails where the checkpoint has tensors below `scope` that were not read: another number of layers,
  /// biases, scales or adapters, without which the scores would be others.
  void expect_all_read(const std::string& scope);

  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  /// Null, with the error set, where the checkpoint has another tensor or none.
  const StoredTensor* find(const std::string& name, std::span<const std::int64_t> shape);
  /// False, with the error set, where its file has been cut since it was opened.
  bool whole(const StoredTensor& stored);
  void copy_rows(const StoredTensor& stored, std::int64_t columns, const KeptMatrix& into);

  const Checkpoint& checkpoint_;
  LoadProgress* progress_;
  std::set<const StoredTensor*> read_;
  std::string error_;
};

}  // namespace qrerank::reranker::model
