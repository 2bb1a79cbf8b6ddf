// Did-you-mean: the declaration is in options.hpp.
#include <algorithm>
#include <numeric>
#include <vector>

#include "reranker/options.hpp"

namespace qrerank::reranker {
namespace {

// Unknown names come from strangers: a longer one is near nothing, and the work stays bounded.
constexpr std::size_t kLongestName = 128;

std::string folded(std::string_view name) {
  std::string out(name);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    } else if (c == '-') {
      c = '_';
    }
  }
  return out;
}

// Optimal string alignment: insertions, deletions, replacements and swaps of neighbours cost 1 each.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before_last[j - 2] + 1);
      }
    }
    std::swap(before_last, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string nearest_name(std::string_view unknown, std::span<const std::string_view> known) {
  if (unknown.size() > kLongestName) {
    return {};
  }
  const std::string wanted = folded(unknown);
  std::size_t best = wanted.size() / 3 + 1;
  std::string_view nearest;
  for (const std::string_view name : known) {
    if (name.size() > kLongestName) {
      continue;
    }
    const std::size_t distance = edit_distance(wanted, folded(name));
    if (distance < best) {
      best = distance;
      nearest = name;
    }
  }
  return std::string(nearest);
}

}  // namespace qrerank::reranker
