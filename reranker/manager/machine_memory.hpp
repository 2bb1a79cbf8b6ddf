// How much main memory this process may still take. GPUs' is in model/placement.hpp.
#pragma once

#include <filesystem>
#include <optional>

#include "reranker/model/placement.hpp"

namespace qrerank::reranker::manager {

/// What /proc/meminfo says is available, and what the limits of the process's control groups (version 2 or 1,
/// its own and those above it) leave, whichever is least; file pages that can be dropped count as free. Empty
/// where /proc does not tell. `root` is another only in tests.
[[nodiscard]] std::optional<model::DeviceMemory> main_memory(const std::filesystem::path& root = "/");

}  // namespace qrerank::reranker::manager
