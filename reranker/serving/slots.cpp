#include "reranker/serving/slots.hpp"

#include <string_view>
#include <unordered_map>

namespace qrerank::reranker::serving {

Slots::Slots(const std::vector<std::string>& texts) {
  std::unordered_map<std::string_view, std::size_t> seen;
  of_text.reserve(texts.size());
  for (std::size_t text = 0; text < texts.size(); ++text) {
    const auto [at, added] = seen.try_emplace(texts[text], first_text.size());
    if (added) {
      first_text.push_back(text);
    }
    of_text.push_back(at->second);
  }
  logits.resize(first_text.size());
}

std::vector<double> Slots::text_logits() const {
  std::vector<double> all;
  all.reserve(of_text.size());
  for (const std::size_t slot : of_text) {
    all.push_back(logits[slot].value());
  }
  return all;
}

}  // namespace qrerank::reranker::serving
