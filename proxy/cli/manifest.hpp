// qrerank.json beside a model's files: where they came from and what they are.
//   {"hub":"owner/name","revision":"<commit>","files":{"config.json":{"sha256":"…","bytes":123},…}}
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace qrerank::proxy::cli {

struct Manifest {
  static constexpr std::string_view kFileName = "qrerank.json";

  struct File {
    std::string sha256;
    std::uint64_t bytes = 0;
    bool operator==(const File&) const = default;
  };

  std::string hub;
  std::string revision;
  std::map<std::string, File> files;
};

std::string print_manifest(const Manifest& manifest);

/// Nothing when it is not a manifest.
std::optional<Manifest> parse_manifest(std::string_view json);

/// The folder's manifest; nothing when there is none that can be read.
std::optional<Manifest> read_manifest(const std::filesystem::path& folder);

}  // namespace qrerank::proxy::cli
