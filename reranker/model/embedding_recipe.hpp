// How an embedding model's text becomes a vector: pooling, length, what stands before a query. Torch-free.
// From the configuration, else from the files that sentence-transformers writes beside the weights, else by
// the family's name.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace qrerank::reranker::model {

enum class Pooling {
  cls,   ///< the first token's state
  mean,  ///< the mean of all tokens' states, special ones included
};

/// What the configuration says; the rest is looked up.
struct EmbeddingChoices {
  std::string known_as;  ///< hub name, by which families are known; empty: the folder's
  std::optional<Pooling> pooling;
  std::optional<bool> normalize;
  std::optional<std::string> query_prefix;
};

struct EmbeddingRecipe {
  Pooling pooling = Pooling::cls;
  bool normalize = true;                  ///< to length 1
  std::string query_prefix;               ///< put before each text, inside the limit of tokens
  std::optional<std::size_t> max_length;  ///< tokens, special ones included, as the folder says
};

/// What the family of a hub name or folder is known to need ("BAAI/bge-small-en-v1.5", "bge_small_en"); none
/// where the name is no known family's.
[[nodiscard]] std::optional<EmbeddingRecipe> family_recipe(std::string_view name);

/// Reads 1_Pooling/config.json, modules.json, config_sentence_transformers.json and sentence_bert_config.json
/// of `folder`, those that are there. The error names the file and what cannot be computed (another pooling,
/// a module behind it), or says that nothing tells the pooling.
[[nodiscard]] tl::expected<EmbeddingRecipe, std::string> embedding_recipe(const std::filesystem::path& folder,
                                                                          const EmbeddingChoices& choices);

}  // namespace qrerank::reranker::model
