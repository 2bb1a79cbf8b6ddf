// Qwen3-Reranker behind the Model seam: texts to prompts with a shared prefix, prompts to logits.
#pragma once

#include <memory>
#include <tl/expected.hpp>

#include "reranker/model/model.hpp"
#include "reranker/model/qwen3_config.hpp"

namespace qrerank::reranker::model {

/// Loads what `spec.path` holds beside its config.json: weights and tokenizer.
[[nodiscard]] tl::expected<std::unique_ptr<Model>, LoadError> load_qwen3_model(const ModelSpec& spec,
                                                                               const Qwen3Config& config,
                                                                               LoadProgress* progress);

}  // namespace qrerank::reranker::model
