// What a checkpoint's weights weigh once they are in memory. Torch-free, from the headers alone.
#pragma once

#include <cstdint>
#include <string_view>

#include "reranker/model/checkpoint.hpp"

namespace qrerank::reranker::model {

/// Bytes of the weights in `dtype` ("float32", "bfloat16", "float16", "int8"): matrices in that dtype,
/// vectors in float32. With "int8" the embedding tables keep `table_bytes` an element and each row of a
/// matrix has a scale. The head of a causal model is left out: two rows of it are ever used.
[[nodiscard]] std::uint64_t weight_bytes(const Checkpoint& checkpoint, std::string_view dtype,
                                         std::uint64_t table_bytes = 4);

}  // namespace qrerank::reranker::model
