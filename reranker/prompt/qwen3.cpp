#include "reranker/prompt/qwen3.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

namespace qrerank::reranker::prompt {
namespace {

void append(std::vector<std::int32_t>& to, std::span<const std::int32_t> ids) {
  to.insert(to.end(), ids.begin(), ids.end());
}

}  // namespace

std::span<const Qwen3Part> qwen3_before() {
  static constexpr std::array kParts{
      Qwen3Part{"<|im_start|>", true},
      Qwen3Part{
          "system\nJudge whether the Document meets the requirements based on the Query and the Instruct "
          "provided. Note that the answer can only be \"yes\" or \"no\"."},
      Qwen3Part{"<|im_end|>", true},
      Qwen3Part{"\n"},
      Qwen3Part{"<|im_start|>", true},
      Qwen3Part{"user\n"},
  };
  return kParts;
}

std::span<const Qwen3Part> qwen3_after() {
  static constexpr std::array kParts{
      Qwen3Part{"<|im_end|>", true},   Qwen3Part{"\n"},
      Qwen3Part{"<|im_start|>", true}, Qwen3Part{"assistant\n"},
      Qwen3Part{"<think>", true},      Qwen3Part{"\n\n"},
      Qwen3Part{"</think>", true},     Qwen3Part{"\n\n"},
  };
  return kParts;
}

std::string qwen3_question(std::string_view instruction, std::string_view query) {
  std::string text = "<Instruct>: ";
  text += instruction.empty() ? kQwen3Instruction : instruction;
  text += "\n<Query>: ";
  text += query;
  return text;
}

std::string qwen3_document(std::string_view document) {
  std::string text = " ";
  text += document;
  return text;
}

model::Sequence qwen3_prefix(const Qwen3Template& layout, std::span<const std::int32_t> whole,
                             std::span<const std::int32_t> question, std::size_t max_length) {
  if (max_length < layout.size()) throw std::invalid_argument("max_length does not hold the template");
  const std::size_t room = max_length - layout.before.size() - layout.after.size();
  model::Sequence prefix;
  prefix.ids = layout.before;
  if (whole.size() <= room) {
    append(prefix.ids, whole);
    return prefix;
  }
  append(prefix.ids, question.first(std::min(question.size(), room - layout.label.size())));
  append(prefix.ids, layout.label);
  return prefix;
}

std::size_t qwen3_document_room(const Qwen3Template& layout, const model::Sequence& prefix,
                                std::size_t max_length) {
  const std::size_t taken = prefix.ids.size() + layout.after.size();
  return taken < max_length ? max_length - taken : 0;
}

model::Sequence qwen3_body(const Qwen3Template& layout, std::span<const std::int32_t> document) {
  model::Sequence body;
  body.ids.reserve(document.size() + layout.after.size());
  append(body.ids, document);
  append(body.ids, layout.after);
  return body;
}

}  // namespace qrerank::reranker::prompt
