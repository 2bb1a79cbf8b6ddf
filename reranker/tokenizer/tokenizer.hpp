// Text to token ids, as a model's tokenizer.json says. Truncation and the layout of pairs and prompts are not
// here: see prompt/.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "reranker/tokenizer/pair_template.hpp"

namespace qrerank::reranker::tokenizer {

/// A loaded tokenizer.json. Const members are thread-safe.
class Tokenizer {
 public:
  /// The error names the file and what the library said about it.
  [[nodiscard]] static tl::expected<Tokenizer, std::string> load(const std::filesystem::path& file);

  Tokenizer(Tokenizer&&) noexcept;
  Tokenizer& operator=(Tokenizer&&) noexcept;
  ~Tokenizer();

  /// The text's own tokens: no special token is added, and none comes out of a text that spells one. Bytes
  /// that are not UTF-8 count as U+FFFD. Throws std::runtime_error when the library gives up on the text.
  [[nodiscard]] std::vector<std::int32_t> encode(std::string_view text) const;

  /// The first `wanted` tokens of `encode(text)`, without paying for the rest of a long text: it is read up
  /// to a whitespace well behind the last token wanted. (Exact where tokens do not reach across whitespace;
  /// in a text without any, a token near the cut could differ, and those are not returned.)
  [[nodiscard]] std::vector<std::int32_t> encode_first(std::string_view text, std::size_t wanted) const;

  /// The id of one token of the vocabulary, special ones included.
  [[nodiscard]] std::optional<std::int32_t> token_to_id(std::string_view token) const;

  /// Every id is below this.
  [[nodiscard]] std::size_t vocabulary_size() const;

  /// How the file's post-processor lays out a pair, or why it cannot be used for one.
  [[nodiscard]] tl::expected<PairTemplate, std::string> pair_template() const;

 private:
  struct Handle;
  explicit Tokenizer(std::unique_ptr<Handle> handle);

  std::unique_ptr<Handle> handle_;
};

}  // namespace qrerank::reranker::tokenizer
