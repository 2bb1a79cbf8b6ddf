// A small evaluation whose numbers can be reckoned by hand.
#pragma once

#include <string>
#include <vector>

#include "proxy/eval/analysis.hpp"

namespace fixture {

namespace eval = qrerank::proxy::eval;

/// `count` queries, each with the one relevant document "r"; the id is its number, the text has markup.
inline eval::QuerySet queries(std::size_t count, bool judged = true) {
  eval::QuerySet set;
  set.judged = judged;
  set.qrels = judged ? "qrels/test.tsv" : "";
  for (std::size_t at = 0; at < count; ++at) {
    set.queries.push_back({"q" + std::to_string(at), "a <b> & \"c\"", "[1]", {}});
    if (judged) set.queries.back().judged = {{"r", 1}};
  }
  return set;
}

/// "r" at `rank` (from 1) of five.
inline eval::Ranking relevant_at(std::size_t rank) {
  eval::Ranking ranking{"a", "b", "c", "d"};
  ranking.insert(ranking.begin() + static_cast<std::ptrdiff_t>(rank - 1), "r");
  return ranking;
}

inline eval::Trial trial(const eval::Setting& setting, std::vector<std::size_t> ranks) {
  eval::Trial found{setting, {}, 5 * ranks.size(), 0};
  for (const auto rank : ranks) found.rankings.push_back(relevant_at(rank));
  return found;
}

inline eval::Timing timing(const std::string& model, unsigned top_k, std::vector<double> ms) {
  return {model, top_k, ms, ms};
}

/// Vector order has "r" at rank 2 always; the trials and timings are the caller's.
inline eval::Report report(std::size_t count, std::vector<eval::Trial> trials,
                           std::vector<eval::Timing> timings, bool judged = true) {
  eval::Measured measured;
  measured.vector_order.assign(count, relevant_at(2));
  measured.trials = std::move(trials);
  measured.timings = std::move(timings);
  eval::Plan plan;
  plan.target.collection = "docs";
  return eval::analyse(plan, queries(count, judged), measured, 1);
}

inline std::vector<std::size_t> all(std::size_t rank, std::size_t count) {
  return std::vector<std::size_t>(count, rank);
}

}  // namespace fixture
