// A collection's metadata as Qdrant (1.16 and later) keeps it: `result.config.metadata` of
// GET /collections/{c}, a free object of its users. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace qrerank::proxy::selection {

/// A longer name is no model's.
inline constexpr std::size_t kMaxEmbeddingName = 256;

/// The text at `key` in the metadata of the answer `body`; nothing when there is no metadata or no such text
/// in it. The error: the body is not what the endpoint gives.
tl::expected<std::optional<std::string>, std::string> embedding_model_in(std::string_view body,
                                                                         std::string_view key);

}  // namespace qrerank::proxy::selection
