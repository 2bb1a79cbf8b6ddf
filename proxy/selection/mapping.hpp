// From an embedding model to the reranker of its family and size, and from that to a configured model. Pure.
// In which order names are looked for is choose.hpp's work.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "proxy/config/config.hpp"

namespace qrerank::proxy::selection {

/// Which reranker belongs to the embedding models whose name fits.
struct MappingRow {
  std::string_view embedding;  ///< a glob, as mapped_reranker() reads it
  std::string_view reranker;   ///< hub name
};

/// The table that the program brings; the first row that fits wins.
std::span<const MappingRow> built_in_mapping();

/// The reranker that belongs to `embedding`: of `model_mapping` in the configuration, else of the built-in
/// table; nothing when neither knows it. Names are compared without regard to case, with `_` and `:` as `-`,
/// and `MiniLM-L-6` as `MiniLM-L6`; a pattern without `/` is held against what follows the name's last `/`.
/// Where `embedding` means a model of `inference.models`, its hub name and other names count after it.
std::optional<std::string> mapped_reranker(const config::Config& config, std::string_view embedding);

/// The configured model that is `reranker`: `mock`, or the one of that name, of that hub name, or named like
/// the hub name's last part. Nothing when none is.
std::optional<std::string> configured_model(const config::Config& config, std::string_view reranker);

/// Whether any embedding model at all leads to a configured model: if not, there is no need to ask for one.
bool leads_anywhere(const config::Config& config);

}  // namespace qrerank::proxy::selection
