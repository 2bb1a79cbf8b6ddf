// What the Hugging Face hub says about a model, and which of its files qrerank needs. Pure: JSON in,
// values out; nothing that the hub says is trusted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace qrerank::proxy::cli {

/// One file to fetch. Exactly one of the hashes is set.
struct HubFile {
  std::string name;  ///< at the top of the model's folder, or 1_Pooling/config.json
  std::uint64_t bytes = 0;
  std::string sha256;    ///< of large files (LFS), 64 hexadecimal digits
  std::string git_sha1;  ///< of small files: git's blob id, 40 hexadecimal digits
};

struct HubListing {
  std::string commit;  ///< what the revision stands for now: 40 hexadecimal digits
  std::vector<HubFile> files;
};

/// Reads the answer of /api/models/{name}/revision/{revision}?blobs=true. Picks config.json, tokenizer.json,
/// tokenizer_config.json, special_tokens_map.json, the files that say how an embedding model pools, and the
/// safetensors (model.safetensors; else the index with its parts; else every one). The error tells what is
/// missing, or what is unsafe about the answer.
tl::expected<HubListing, std::string> read_hub_listing(std::string_view json);

/// "owner/name" or "name" of letters, digits and `-_.`, no part beginning with a dot.
bool is_hub_name(std::string_view name);

}  // namespace qrerank::proxy::cli
