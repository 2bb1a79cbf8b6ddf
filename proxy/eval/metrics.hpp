// How good one answered query is, by trec_eval's definitions. Pure: ranked document ids and judgements in,
// numbers out.
#pragma once

#include <cstddef>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace qrerank::proxy::eval {

/// Document ids of one answer, best first, each once.
using Ranking = std::vector<std::string>;

/// Document id → judgement; 1 and more is relevant, the number is the gain. What is not in it counts as 0.
using Judgements = std::map<std::string, int>;

/// Where nDCG, MRR and recall stop.
inline constexpr std::size_t kDepth = 10;

/// One query's values, or their means over queries; each 0..1.
struct Quality {
  double ndcg = 0;     ///< nDCG@10 (ndcg_cut_10): gain is the judgement, discount log2(rank + 1), ideal over
                       ///< all that is judged
  double mrr = 0;      ///< 1 / rank of the first relevant one, 0 beyond 10 (recip_rank of the run cut there)
  double recall = 0;   ///< relevant ones in the first 10 / all relevant ones (recall_10)
  double success = 0;  ///< 1 when the first one is relevant (success_1)
};

/// The order of `ranking` counts, ties and all. All zero when nothing is judged relevant.
[[nodiscard]] Quality quality_of(const Ranking& ranking, const Judgements& judged);

/// Relevant ones in the first `depth` / all relevant ones: what a reranker of so many candidates can find.
[[nodiscard]] double recall_at(const Ranking& ranking, const Judgements& judged, std::size_t depth);

/// How one order differs from another of the same query.
struct Change {
  double overlap = 1;        ///< share of the old first 10 that is in the new first 10
  double kendall = 1;        ///< Kendall's tau over the ids that both have, 1 equal … -1 reversed
  bool first_moved = false;  ///< another one comes first
};

[[nodiscard]] Change change_between(const Ranking& before, const Ranking& after);

}  // namespace qrerank::proxy::eval
