#include "proxy/eval/recommendation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "proxy/eval/wording.hpp"
#include "proxy/observe/json_text.hpp"

namespace qrerank::proxy::eval {
namespace {

constexpr double kAlmostAll = 0.9;       // of the largest gain
constexpr std::size_t kFewQueries = 50;  // under this many an interval is wide and a p coarse

using Rows = std::vector<const Row*>;

Rows rows_in_reach(const Report& report, std::optional<double> most_added_ms) {
  Rows rows;
  for (const auto& row : report.rows) {
    const auto added = added_p95_ms(report, row);
    if (row.setting.weight > 0 && (!most_added_ms || (added && *added <= *most_added_ms)))
      rows.push_back(&row);
  }
  return rows;
}

const Row* best(const Rows& rows) {
  const auto found = std::ranges::max_element(rows, {}, [](const Row* row) { return row->gain.value; });
  return found == rows.end() ? nullptr : *found;
}

const Row* cheapest_of_the_best(const Report& report, const Rows& rows) {
  const double enough = kAlmostAll * best(rows)->gain.value;
  const Row* chosen = nullptr;
  for (const Row* row : rows) {
    if (row->gain.value < enough) continue;
    const double cost = added_p95_ms(report, *row).value_or(row->setting.top_k);
    const double so_far =
        chosen == nullptr ? 0 : added_p95_ms(report, *chosen).value_or(chosen->setting.top_k);
    if (chosen == nullptr || cost < so_far || (cost == so_far && row->gain.value > chosen->gain.value))
      chosen = row;
  }
  return chosen;
}

std::string numbers_of(const Report& report, const Row& row) {
  return fmt::format(
      "nDCG@10 {:.4f} → {:.4f}, a difference of {} (95 % interval {} to {}, p {} alone, {} "
      "after "
      "Holm's correction for {}); {} of {} queries better, {} worse.",
      report.vector_quality.ndcg.value, row.quality.ndcg.value, signed_text(row.gain.value, 4),
      signed_text(row.gain.interval.low, 4), signed_text(row.gain.interval.high, 4), p_text(row.p),
      p_text(row.p_holm), settings_text(settings_tried(report)), row.better, report.queries.size(),
      row.worse);
}

std::string settings_of(const Report& report, const Row& row) {
  return fmt::format(
      "collections:\n  {}:\n    rerank: always\n    reranker: {}\n    top_k: {}\n    weight: {}\n",
      observe::json_string(report.collection), row.setting.model, row.setting.top_k, row.setting.weight);
}

std::string few_queries(const Report& report) {
  if (report.queries.size() >= kFewQueries) return "";
  return fmt::format(" {} judged queries are few: take the numbers as a hint.", report.queries.size());
}

std::string caveats(const Report& report) {
  std::string text = few_queries(report);
  if (settings_tried(report) > 1)
    text +=
        " The setting was chosen on the queries that it is measured on, so expect a little less on new ones.";
  return text;
}

Advice rerank_with(const Report& report, const Row& row) {
  Advice advice{Verdict::rerank, &row, "", "", settings_of(report, row)};
  advice.headline = fmt::format(
      "rerank {} with weight {} ({}): {} nDCG@10{}", row.setting.top_k, row.setting.weight, row.setting.model,
      relative_text(row.gain.value, report.vector_quality.ndcg.value), added_text(report, row));
  advice.details = numbers_of(report, row) + caveats(report);
  return advice;
}

Advice do_not_rerank(const Report& report, const Row& row) {
  const bool may_help = row.gain.value > 0;
  Advice advice{may_help ? Verdict::undecided : Verdict::leave, &row, "", numbers_of(report, row), ""};
  if (may_help) {
    advice.headline = fmt::format(
        "do not rerank this collection yet: the best setting ({}) gains {}, which could be chance",
        setting_text(row.setting), relative_text(row.gain.value, report.vector_quality.ndcg.value));
    advice.details += fmt::format(" {} judged queries do not tell; more would.", report.queries.size());
  } else {
    advice.headline = fmt::format("do not rerank this collection: none of {} is better than vector order",
                                  settings_text(settings_tried(report)));
    advice.details =
        fmt::format("The best one is {}: ", setting_text(row.setting)) + advice.details + few_queries(report);
  }
  return advice;
}

Advice without_judgements(const Report& report, const Row& row) {
  Advice advice{Verdict::unjudged, &row, "", "", ""};
  advice.headline = fmt::format(
      "no judgements, so whether it is better cannot be told: {} puts another hit first in {:.0f} % of the "
      "queries and replaces {:.1f} of the first 10{}",
      setting_text(row.setting), 100 * row.first_moved, 10 * (1 - row.overlap.value),
      added_text(report, row));
  const auto order = ascending(row.overlaps);
  advice.details = "Look at the queries that change most:";
  for (std::size_t at = 0; at < std::min<std::size_t>(5, order.size()); ++at)
    advice.details += (at == 0 ? " " : ", ") + report.queries[order[at]].id;
  advice.details +=
      ". Judge some tens of queries (qrels/test.tsv: query-id, corpus-id, score) and run this again.";
  return advice;
}

// Most often the ids are not those of the points, and every measure is 0.
bool finds_nothing(const Report& report) {
  return report.judged &&
         std::ranges::all_of(report.rows, [](const Row& row) { return row.reachable_recall == 0; });
}

Advice nothing_found() {
  return {Verdict::undecided, nullptr,
          "nothing can be told: no document that is judged relevant is among the candidates of any query",
          "Are the corpus ids of the judgements the ids of the points? Where they stand in the payload, "
          "--id-field "
          "names the member. Else the search finds the wrong things: look at --vectors, --document-model and "
          "--using.",
          ""};
}

}  // namespace

Advice recommend(const Report& report, std::optional<double> most_added_ms) {
  if (!report.rows.empty() && finds_nothing(report)) return nothing_found();
  const Rows rows = rows_in_reach(report, most_added_ms);
  if (rows.empty() && !most_added_ms)
    return {Verdict::leave, nullptr, "nothing was tried but weight 0, which is vector order", "", ""};
  if (rows.empty()) {
    return {
        report.judged ? Verdict::leave : Verdict::unjudged, nullptr,
        fmt::format("do not rerank this collection: no setting adds at most {:.0f} ms to the 95th percentile",
                    most_added_ms.value_or(0)),
        "Fewer candidates, a smaller model or a GPU would cost less.", ""};
  }
  if (!report.judged) return without_judgements(report, *rows.back());
  Rows better;
  for (const Row* row : rows) {
    if (row->p_holm < kChance && row->gain.value > 0) better.push_back(row);
  }
  return better.empty() ? do_not_rerank(report, *best(rows))
                        : rerank_with(report, *cheapest_of_the_best(report, better));
}

}  // namespace qrerank::proxy::eval
