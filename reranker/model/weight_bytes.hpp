// What a checkpoint's weights weigh once they are in memory, and in the files. Torch-free, from the headers
// alone.
#pragma once

#include <cstdint>
#include <string_view>

#include "reranker/model/checkpoint.hpp"

namespace qrerank::reranker::model {

/// Bytes of the weights in `dtype` ("float32", "bfloat16", "float16", "int8"): matrices and the table of
/// words in that dtype (with "int8" each row has a scale), vectors and the encoders' other tables in float32.
/// The head of a causal model is left out: two rows of it are ever used.
[[nodiscard]] std::uint64_t weight_bytes(const Checkpoint& checkpoint, std::string_view dtype);

/// Bytes of the files that are read for them.
[[nodiscard]] std::uint64_t read_bytes(const Checkpoint& checkpoint);

}  // namespace qrerank::reranker::model
