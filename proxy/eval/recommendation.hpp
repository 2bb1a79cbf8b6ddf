// A report's numbers as advice in words. Pure.
#pragma once

#include <optional>
#include <string>

#include "proxy/eval/analysis.hpp"

namespace qrerank::proxy::eval {

enum class Verdict {
  rerank,     ///< `row` is better than vector order, and that is hardly chance
  undecided,  ///< the best gain could be chance, or nothing relevant is found at all
  leave,      ///< nothing tried is better
  unjudged,   ///< there are no judgements
};

struct Advice {
  Verdict verdict = Verdict::unjudged;
  const Row* row =
      nullptr;           ///< into the report: what to use, else the best tried; null where no row is in reach
  std::string headline;  ///< "rerank 50 with weight 0.7: +8 % nDCG@10 …, +210 ms p95"
  std::string details;   ///< sentences: intervals, chance, what bounds the gain, what to do next
  std::string settings;  ///< YAML for config.yaml, or empty
};

/// Below this corrected p a gain counts as more than chance.
inline constexpr double kChance = 0.05;

/// Among the settings that are better than chance: of those with at least nine tenths of the largest gain,
/// the one that adds the least to the 95th percentile; then the larger gain. `most_added_ms` leaves out
/// settings that add more to it.
[[nodiscard]] Advice recommend(const Report& report, std::optional<double> most_added_ms);

}  // namespace qrerank::proxy::eval
