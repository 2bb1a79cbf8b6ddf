// The whole answer to the client: Qdrant's envelope, of each search the page of its points or what stands in
// its place, and the report at the top level. Which failure leads here is flow's decision.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "proxy/rewrite/group_order.hpp"
#include "proxy/rewrite/projection.hpp"
#include "proxy/rewrite/report.hpp"

namespace qrerank::proxy::rewrite {

/// What becomes of one search's result.
struct ResultPart {
  /// Not empty: this takes its place (a search that only passes: its set's `whole`; a fallback that was asked
  /// for again). What follows is then not looked at.
  std::string_view as_it_is;

  const CandidateSet* set = nullptr;
  const Page* page = nullptr;
  const Projection* projection = nullptr;
  const Reread* reread = nullptr;  ///< null unless the projection needs it
  ScoreMode mode = ScoreMode::own;
};

/// The answer with one part for each of its sets. Groups without a returned point are left out.
std::string compose(const Answer& answer, std::span<const ResultPart> parts, const Report& report);

/// Adds the report to a complete answer that goes to the client as it is (a fallback sent again). The error
/// says why not: not a JSON object.
tl::expected<std::string, std::string> annotate(std::string body, const Report& report);

}  // namespace qrerank::proxy::rewrite
