// Where a tokenizer's post-processor puts its special tokens around a pair of texts. Plain data.
#pragma once

#include <cstdint>
#include <vector>

namespace qrerank::reranker::tokenizer {

struct TemplateToken {
  std::int32_t id = 0;
  std::int32_t type_id = 0;
};

/// `before` first `between` second `after`: for BERT [CLS] | q | [SEP] | d | [SEP], for RoBERTa
/// <s> | q | </s> </s> | d | </s>.
struct PairTemplate {
  std::vector<TemplateToken> before;
  std::vector<TemplateToken> between;
  std::vector<TemplateToken> after;
  std::int32_t first_type = 0;
  std::int32_t second_type = 0;

  [[nodiscard]] std::size_t size() const { return before.size() + between.size() + after.size(); }
};

}  // namespace qrerank::reranker::tokenizer
