// Query vectors out of a file. The JSON text of each, ready for a search.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <tl/expected.hpp>
#include <vector>

namespace qrerank::proxy::eval {

/// NumPy's format, version 1 to 3: little-endian float32 or float64, [rows, dimensions], C order. The JSON
/// array of each row. The error names the file and what it holds instead.
[[nodiscard]] tl::expected<std::vector<std::string>, std::string> read_npy(const std::filesystem::path& file);

/// {"_id": "1", "vector": […]} a line: id → JSON array (or a sparse vector's object, or a multivector).
[[nodiscard]] tl::expected<std::map<std::string, std::string>, std::string> read_vector_lines(
    const std::filesystem::path& file);

}  // namespace qrerank::proxy::eval
