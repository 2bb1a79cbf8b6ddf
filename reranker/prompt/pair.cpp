#include "reranker/prompt/pair.hpp"

#include <algorithm>
#include <stdexcept>

namespace qrerank::reranker::prompt {

PairRoom pair_room(const tokenizer::PairTemplate& layout, std::size_t query_tokens, std::size_t max_length) {
  if (max_length < layout.size()) throw std::invalid_argument("max_length does not hold the special tokens");
  const std::size_t room = max_length - layout.size();
  const std::size_t query = std::min(query_tokens, room);
  return {.query = query, .document = room - query};
}

model::Sequence join_pair(const tokenizer::PairTemplate& layout, std::span<const std::int32_t> query,
                          std::span<const std::int32_t> document, bool token_types) {
  model::Sequence pair;
  const std::size_t size = layout.size() + query.size() + document.size();
  pair.ids.reserve(size);
  if (token_types) pair.type_ids.reserve(size);
  const auto put = [&](std::int32_t id, std::int32_t type) {
    pair.ids.push_back(id);
    if (token_types) pair.type_ids.push_back(type);
  };
  for (const auto& token : layout.before) put(token.id, token.type_id);
  for (const auto id : query) put(id, layout.first_type);
  for (const auto& token : layout.between) put(token.id, token.type_id);
  for (const auto id : document) put(id, layout.second_type);
  for (const auto& token : layout.after) put(token.id, token.type_id);
  return pair;
}

std::size_t single_room(const tokenizer::PairTemplate& layout, std::size_t max_length) {
  const std::size_t own = layout.before.size() + layout.after.size();
  if (max_length < own) throw std::invalid_argument("max_length does not hold the special tokens");
  return max_length - own;
}

model::Sequence single(const tokenizer::PairTemplate& layout, std::span<const std::int32_t> text,
                       bool token_types) {
  model::Sequence sequence;
  for (const auto& token : layout.before) sequence.ids.push_back(token.id);
  sequence.ids.insert(sequence.ids.end(), text.begin(), text.end());
  for (const auto& token : layout.after) sequence.ids.push_back(token.id);
  if (token_types) sequence.type_ids.assign(sequence.ids.size(), layout.first_type);
  return sequence;
}

}  // namespace qrerank::reranker::prompt
