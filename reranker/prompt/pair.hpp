// One token sequence for encoders: of query and document where a pair is read, of a text by itself. Pure: ids
// in, ids out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "reranker/model/model.hpp"
#include "reranker/tokenizer/pair_template.hpp"

namespace qrerank::reranker::prompt {

/// What a pair may hold beside the template's own tokens, so that it fits `max_length`. The document gives
/// way first: the query is cut only where it alone is too long.
struct PairRoom {
  std::size_t query = 0;
  std::size_t document = 0;
};

/// Throws std::invalid_argument when not even the template fits.
[[nodiscard]] PairRoom pair_room(const tokenizer::PairTemplate& layout, std::size_t query_tokens,
                                 std::size_t max_length);

/// `query` and `document` (already cut to their room) in the template's order. With `token_types` each token
/// carries the template's type, else `type_ids` stays empty.
[[nodiscard]] model::Sequence join_pair(const tokenizer::PairTemplate& layout,
                                        std::span<const std::int32_t> query,
                                        std::span<const std::int32_t> document, bool token_types);

/// The same of a text by itself: what stands before the first of a pair and behind the second, as in [CLS]
/// text [SEP] or <s> text </s>; all tokens are of the first type.
[[nodiscard]] std::size_t single_room(const tokenizer::PairTemplate& layout, std::size_t max_length);
[[nodiscard]] model::Sequence single(const tokenizer::PairTemplate& layout,
                                     std::span<const std::int32_t> text, bool token_types);

}  // namespace qrerank::reranker::prompt
