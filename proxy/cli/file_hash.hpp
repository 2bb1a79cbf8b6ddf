// Hashes of files on disk, read in pieces.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <tl/expected.hpp>

namespace qrerank::proxy::cli {

struct FileHashes {
  std::uint64_t bytes = 0;
  std::string sha256;    ///< of the content, hexadecimal
  std::string git_sha1;  ///< git's blob id: SHA-1 of "blob <bytes>\0" and the content
};

/// Reads the whole file. The error names the file and the system's reason.
tl::expected<FileHashes, std::string> hash_file(const std::filesystem::path& file);

}  // namespace qrerank::proxy::cli
