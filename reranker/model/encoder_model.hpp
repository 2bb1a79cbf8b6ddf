// The encoder families behind the Model seam: pairs to logits, or texts to vectors.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "reranker/model/encoder_config.hpp"
#include "reranker/model/model.hpp"

namespace qrerank::reranker::model {

/// Loads what `spec.path` holds beside its config.json: weights and tokenizer. A judge, or with
/// `spec.embedding` what makes vectors.
[[nodiscard]] tl::expected<std::unique_ptr<Model>, LoadError> load_encoder_model(const ModelSpec& spec,
                                                                                 const EncoderConfig& config,
                                                                                 LoadProgress* progress);

}  // namespace qrerank::reranker::model
