#include "reranker/serving/slots.hpp"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace qrerank::reranker::serving {

Slots::Slots(const std::vector<std::string>& texts, std::size_t width_) : width(width_) {
  std::unordered_map<std::string_view, std::size_t> seen;
  of_text.reserve(texts.size());
  for (std::size_t text = 0; text < texts.size(); ++text) {
    const auto [at, added] = seen.try_emplace(texts[text], first_text.size());
    if (added) {
      first_text.push_back(text);
    }
    of_text.push_back(at->second);
  }
  values.resize(first_text.size() * width);
  known.resize(first_text.size());
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

void Slots::set(std::size_t slot, std::span<const double> row) {
  std::ranges::copy(row.first(width), values.begin() + static_cast<std::ptrdiff_t>(slot * width));
  known[slot] = true;
}

std::vector<double> Slots::text_values() const {
  std::vector<double> all;
  all.reserve(of_text.size() * width);
  for (const std::size_t slot : of_text) {
    if (!known[slot]) throw std::logic_error("a text without its values");
    const auto row = std::span(values).subspan(slot * width, width);
    all.insert(all.end(), row.begin(), row.end());
  }
  return all;
}

}  // namespace qrerank::reranker::serving
