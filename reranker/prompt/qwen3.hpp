// Qwen3-Reranker's published prompt: its texts and how tokens are put together. Pure: texts and ids in, ids
// out. Which ids the texts have is the tokenizer's business (model/qwen3_text.cpp).
//
//   before() `<Instruct>: I\n<Query>: Q` `\n<Document>:` | ` D` after()
//
// What stands left of the bar is the same for all documents of a request: the shared prefix. The bar is the
// only place where cutting gives the tokens of the whole text: the pre-tokenizer never joins what follows a
// colon with a space, while it joins `?` and the newline before `<Document>`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reranker/model/model.hpp"

namespace qrerank::reranker::prompt {

/// A stretch of the template: one control token by its name, or plain text.
struct Qwen3Part {
  std::string_view text;
  bool control = false;
};

/// From the start to the user's turn, and from its end to where the answer would begin.
[[nodiscard]] std::span<const Qwen3Part> qwen3_before();
[[nodiscard]] std::span<const Qwen3Part> qwen3_after();

/// Stands for an empty instruction.
inline constexpr std::string_view kQwen3Instruction =
    "Given a web search query, retrieve relevant passages that answer the query";

/// The label that ends the shared prefix.
inline constexpr std::string_view kQwen3DocumentLabel = "\n<Document>:";

/// `<Instruct>: I\n<Query>: Q`, without the label.
[[nodiscard]] std::string qwen3_question(std::string_view instruction, std::string_view query);

/// What a document is encoded as: itself behind a space.
[[nodiscard]] std::string qwen3_document(std::string_view document);

/// The template's own tokens.
struct Qwen3Template {
  std::vector<std::int32_t> before;
  std::vector<std::int32_t> label;  ///< of kQwen3DocumentLabel alone
  std::vector<std::int32_t> after;

  /// Tokens that are in every prompt.
  [[nodiscard]] std::size_t size() const { return before.size() + label.size() + after.size(); }
};

/// The shared prefix. `whole` is the question and its label encoded as one text, `question` the question
/// alone (or as many of its first tokens as are wanted below); the latter is used, cut, only where the former
/// is too long. The document gives way first, so a question that fills `max_length` leaves it no room.
/// Throws std::invalid_argument when not even the template fits.
[[nodiscard]] model::Sequence qwen3_prefix(const Qwen3Template& layout, std::span<const std::int32_t> whole,
                                           std::span<const std::int32_t> question, std::size_t max_length);

/// Tokens that a document may have behind that prefix.
[[nodiscard]] std::size_t qwen3_document_room(const Qwen3Template& layout, const model::Sequence& prefix,
                                              std::size_t max_length);

/// A document's own part: its tokens (already cut to the room) and the template's end.
[[nodiscard]] model::Sequence qwen3_body(const Qwen3Template& layout, std::span<const std::int32_t> document);

}  // namespace qrerank::reranker::prompt
