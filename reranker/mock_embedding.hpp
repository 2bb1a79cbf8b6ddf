// An embedding model without weights, for those who test an application's wiring: texts with common words
// come out near one another. It is a Model like the others, so that what runs it is what runs them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "reranker/model/model.hpp"

namespace qrerank::reranker {

inline constexpr const char* kMockEmbedding = "mock-embedding";
inline constexpr std::size_t kMockEmbeddingWidth = 64;

/// A text's words, lower-cased, each add 1 or -1 at the place that their hash (32-bit FNV-1a over their code
/// points) says; the sum has length 1. Without a word: the first place alone. At most 512 words count.
[[nodiscard]] std::unique_ptr<model::Model> make_mock_embedding();

}  // namespace qrerank::reranker
