// Pages: what of a search's result is returned and in which order. Lists are ordered by order.hpp; here
// stands what groups have of their own.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "proxy/rewrite/candidates.hpp"
#include "proxy/rewrite/order.hpp"
#include "proxy/rewrite/plan.hpp"

namespace qrerank::proxy::rewrite {

/// One returned group.
struct PageGroup {
  std::size_t group = 0;  ///< into CandidateSet::groups
  std::size_t hits = 0;   ///< so many of the page's, behind those of the groups before it
};

/// The returned points of one search.
struct Page {
  std::vector<Ranked> hits;
  std::vector<PageGroup> groups;  ///< HitLayout::groups only
};

/// The reranked page, whatever the layout. `judged` from judge().
///
/// Groups: within one, scored hits come by their final score, equal ones (and all at weight 0) in vector
/// order, then the unscored in vector order. Groups come by the score of their best hit, equal ones (and all
/// at weight 0) in Qdrant's order, then those without a scored hit in Qdrant's order. A threshold drops hits
/// as rank() tells, and groups without any left. Then the asked number of groups, and of hits in each. Final
/// scores are reckoned over the different points.
Page reranked_page(const CandidateSet& set, std::span<const Judged> judged, const SearchPlan& plan);

/// The client's own page, cut from the candidates: Qdrant's order and scores. For groups it is only that
/// where nothing was widened (SearchPlan::inner_widened).
Page own_page(const CandidateSet& set, const SearchPlan& plan);

}  // namespace qrerank::proxy::rewrite
