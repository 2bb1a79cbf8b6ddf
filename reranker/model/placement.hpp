// Where the replicas of a model would go and what they would weigh there, told before anything is loaded; and
// how much memory a GPU has. Declared without torch.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "reranker/model/model.hpp"

namespace qrerank::reranker::model {

/// One replica's weights.
struct ReplicaNeed {
  std::string device;          ///< "cpu", "cuda:1"
  std::uint64_t bytes = 0;     ///< in the dtype that it computes in
  std::string dtype{};         ///< that one, never "auto"
  std::uint64_t file_bytes{};  ///< what loading it reads; 0: no files
};

/// Reads the headers of the model's files and looks for the devices; loads no weights. `replicas` of them on
/// the CPU, or on a GPU each, from the first (of a `cuda:N` there is one). Blocks: call it on a loader
/// thread. Never throws for bad files.
[[nodiscard]] tl::expected<std::vector<ReplicaNeed>, LoadError> replica_needs(const ModelSpec& spec,
                                                                              std::size_t replicas);

struct DeviceMemory {
  std::uint64_t free = 0;   ///< bytes that could still be taken
  std::uint64_t total = 0;  ///< bytes
};

/// Of "cuda:N". Empty where CUDA does not tell. May block for milliseconds.
[[nodiscard]] std::optional<DeviceMemory> gpu_memory(const std::string& device);

}  // namespace qrerank::reranker::model
