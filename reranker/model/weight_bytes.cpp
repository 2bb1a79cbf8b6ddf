#include "reranker/model/weight_bytes.hpp"

#include <string>

namespace qrerank::reranker::model {
namespace {

constexpr std::uint64_t kFloat32 = 4;

std::uint64_t element_bytes(std::string_view dtype) {
  if (dtype == "int8") return 1;
  return dtype == "bfloat16" || dtype == "float16" ? 2 : kFloat32;
}

// Tables that are added to, not multiplied, stay as they are added:
// "bert.embeddings.position_embeddings.weight".
bool stays_float32(std::string_view name) {
  return name.find("position_embeddings") != std::string_view::npos ||
         name.find("token_type_embeddings") != std::string_view::npos;
}

bool is_float(std::string_view stored) {
  return stored.starts_with("F") || stored.starts_with("BF");
}

bool is_kept(std::string_view name, const StoredTensor& stored) {
  return is_float(stored.entry.dtype) && name != "lm_head.weight";
}

}  // namespace

std::uint64_t weight_bytes(const Checkpoint& checkpoint, std::string_view dtype) {
  const bool quantized = dtype == "int8";
  std::uint64_t bytes = 0;
  for (const auto& [name, stored] : checkpoint.tensors()) {
    const auto& shape = stored.entry.shape;
    if (!is_kept(name, stored)) continue;
    std::uint64_t elements = 1;  // the header was checked: the product is within the file's size
    for (const auto extent : shape) elements *= static_cast<std::uint64_t>(extent);
    if (shape.size() < 2 || stays_float32(name)) {
      bytes += elements * kFloat32;
    } else {
      bytes += elements * element_bytes(dtype);
      if (quantized) bytes += static_cast<std::uint64_t>(shape.front()) * kFloat32;
    }
  }
  return bytes;
}

std::uint64_t read_bytes(const Checkpoint& checkpoint) {
  std::uint64_t bytes = 0;
  for (const auto& [name, stored] : checkpoint.tensors()) {
    if (is_kept(name, stored)) bytes += stored.bytes.size();
  }
  return bytes;
}

}  // namespace qrerank::reranker::model
