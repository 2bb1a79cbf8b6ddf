// config.json of the encoder families, read and checked. Torch-free. Weights are not looked at
// here.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace qrerank::reranker::model {

enum class EncoderFamily { bert, roberta, xlm_roberta };

/// "bert", "roberta", "xlm-roberta".
[[nodiscard]] std::string_view family_name(EncoderFamily family);

struct EncoderConfig {
  EncoderFamily family = EncoderFamily::bert;
  std::int64_t vocabulary = 0;
  std::int64_t hidden = 0;
  std::int64_t layers = 0;
  std::int64_t heads = 0;
  std::int64_t intermediate = 0;
  std::int64_t positions = 0;  ///< rows of the position table
  std::int64_t types = 0;      ///< rows of the token type table
  double layer_norm_eps = 0;
  std::int64_t padding_id = 0;  ///< RoBERTa: the first token's position is padding_id + 1

  /// Position of a sequence's first token.
  [[nodiscard]] std::int64_t first_position() const;
  /// Tokens a sequence may have.
  [[nodiscard]] std::int64_t max_length() const { return positions - first_position(); }
};

/// What a checkpoint is to be: a cross-encoder with one label, or a bare encoder whose states become vectors.
enum class EncoderUse { judge, embed };

/// Checks the text of a config.json: a known architecture for that use, exact gelu, absolute positions,
/// sizes within bounds. The error names the member, what was expected and what was found.
[[nodiscard]] tl::expected<EncoderConfig, std::string> parse_encoder_config(
    std::string_view json, EncoderUse use = EncoderUse::judge);

/// Numbers in a vector of the embedding model in `folder`, by its config.json; 0 where that cannot be read.
[[nodiscard]] std::size_t vector_width(const std::filesystem::path& folder);

}  // namespace qrerank::reranker::model
