#include "reranker/serving/slots.hpp"

#include <map>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

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

void Slots::compute_equal_ones_once(std::vector<model::Sequence>& sequences) {
  const auto before = [&](std::size_t a, std::size_t b) {
    return std::tie(sequences[a].ids, sequences[a].type_ids) <
           std::tie(sequences[b].ids, sequences[b].type_ids);
  };
  std::map<std::size_t, std::size_t, decltype(before)> first(
      before);  // of equal ones, to its place in `computed`
  std::vector<std::size_t> kept;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const auto [at, added] = first.try_emplace(i, computed.size());
    if (added) {
      computed.emplace_back();
      kept.push_back(i);
    }
    computed[at->second].push_back(unknown[i]);
  }
  if (kept.size() < sequences.size()) {
    std::vector<model::Sequence> distinct;
    for (const std::size_t i : kept) {
      distinct.push_back(std::move(sequences[i]));
    }
    sequences = std::move(distinct);
  }
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
