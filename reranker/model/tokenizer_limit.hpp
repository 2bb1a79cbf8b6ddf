// How long a tokenizer says that its sequences may be. Torch-free. What the weights allow is config.json's
// word (encoder_config.hpp).
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string_view>

namespace qrerank::reranker::model {

/// `model_max_length` of the text of a tokenizer_config.json, in tokens: a whole number of 8 to 2^20.
/// Anything else counts as none: Hugging Face writes 1e30 for "no limit", and the file is not needed to load
/// a model.
[[nodiscard]] std::optional<std::size_t> tokenizer_limit(std::string_view json);

/// The same of the file in a model's folder; none where there is no such file.
[[nodiscard]] std::optional<std::size_t> tokenizer_limit_in(const std::filesystem::path& folder);

}  // namespace qrerank::reranker::model
