// config.json of Qwen3 rerankers, read and checked. Torch-free. Weights are not looked at here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace qrerank::reranker::model {

/// Where a sequence's logit comes from.
enum class Qwen3Head {
  tied,    ///< Qwen3ForCausalLM, output rows are the embedding's (0.6B, 4B)
  untied,  ///< Qwen3ForCausalLM, output rows of its own (8B)
  label,   ///< Qwen3ForSequenceClassification with one label
};

struct Qwen3Config {
  Qwen3Head head = Qwen3Head::tied;
  std::int64_t vocabulary = 0;
  std::int64_t hidden = 0;
  std::int64_t layers = 0;
  std::int64_t heads = 0;     ///< query heads
  std::int64_t kv_heads = 0;  ///< a divisor of `heads`
  std::int64_t head_dim = 0;  ///< even; heads * head_dim need not be `hidden`
  std::int64_t intermediate = 0;
  std::int64_t positions = 0;  ///< tokens that a sequence may have
  double rms_norm_eps = 0;
  double rope_theta = 0;
};

/// Whether a config.json, by its first architecture, is for this reader; false for what is no JSON.
[[nodiscard]] bool is_qwen3_config(std::string_view json);

/// Checks the text of a config.json: silu, no biases, plain RoPE, full attention in every layer, one label
/// where it is a classifier, sizes within bounds. The error names the member, what was expected and what was
/// found.
[[nodiscard]] tl::expected<Qwen3Config, std::string> parse_qwen3_config(std::string_view json);

}  // namespace qrerank::reranker::model
