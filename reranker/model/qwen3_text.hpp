// Texts to Qwen3-Reranker's tokens: the tokenizer and the prompt brought together. No weights, no torch.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "reranker/model/model.hpp"
#include "reranker/model/prefix_pool.hpp"
#include "reranker/prompt/qwen3.hpp"
#include "reranker/tokenizer/tokenizer.hpp"

namespace qrerank::reranker::model {

/// Const members are thread-safe.
class Qwen3Text {
 public:
  /// Reads tokenizer.json. The error names it, and what of the template it lacks.
  [[nodiscard]] static tl::expected<Qwen3Text, std::string> load(const std::filesystem::path& file);

  /// The prompts of a request, none longer than `max_length` (which is above template().size()): documents
  /// are cut first. Equal prefixes are the same pointer as long as one of them lives. No text can place a
  /// token of the template.
  [[nodiscard]] EncodedTexts encode(std::string_view instruction, std::string_view query,
                                    std::span<const std::string> texts, std::size_t max_length) const;

  /// The token that is this whole word. The error says how many tokens it is instead.
  [[nodiscard]] tl::expected<std::int32_t, std::string> word(std::string_view word) const;

  [[nodiscard]] const prompt::Qwen3Template& layout() const { return layout_; }
  /// Every id is below this.
  [[nodiscard]] std::size_t vocabulary_size() const { return tokenizer_.vocabulary_size(); }

 private:
  explicit Qwen3Text(tokenizer::Tokenizer tokenizer) : tokenizer_(std::move(tokenizer)) {}

  /// The first `wanted` tokens of a text of the user's.
  [[nodiscard]] std::vector<std::int32_t> encode_plain(std::string_view text, std::size_t wanted) const;

  tokenizer::Tokenizer tokenizer_;
  prompt::Qwen3Template layout_;
  PrefixPool prefixes_;
};

}  // namespace qrerank::reranker::model
