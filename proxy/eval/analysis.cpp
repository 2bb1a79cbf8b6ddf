#include "proxy/eval/analysis.hpp"

#include <algorithm>
#include <utility>

namespace qrerank::proxy::eval {
namespace {

Mean mean_with_interval(const std::vector<double>& values, std::uint64_t seed) {
  return {mean_of(values), bootstrap_mean(values, seed)};
}

std::vector<Quality> qualities(const std::vector<Ranking>& rankings, const std::vector<Query>& queries) {
  std::vector<Quality> found;
  for (std::size_t at = 0; at < queries.size(); ++at)
    found.push_back(quality_of(rankings[at], queries[at].judged));
  return found;
}

std::vector<double> each(const std::vector<Quality>& qualities, double Quality::* member) {
  std::vector<double> values;
  for (const auto& quality : qualities) values.push_back(quality.*member);
  return values;
}

QualityMeans means_of(const std::vector<Quality>& found, std::uint64_t seed) {
  return {mean_with_interval(each(found, &Quality::ndcg), seed),
          mean_with_interval(each(found, &Quality::mrr), seed),
          mean_with_interval(each(found, &Quality::recall), seed),
          mean_with_interval(each(found, &Quality::success), seed)};
}

void compare(Row& row, const Report& report, const std::vector<Ranking>& rankings,
             const std::vector<Ranking>& vector_order) {
  const auto found = qualities(rankings, report.queries);
  row.quality = means_of(found, report.seed);
  row.ndcg = each(found, &Quality::ndcg);
  std::vector<double> differences;
  std::vector<double> reachable;
  for (std::size_t at = 0; at < report.queries.size(); ++at) {
    differences.push_back(row.ndcg[at] - report.vector_ndcg[at]);
    row.better += differences.back() > 0;
    row.worse += differences.back() < 0;
    reachable.push_back(recall_at(vector_order[at], report.queries[at].judged, row.setting.top_k));
  }
  row.gain = mean_with_interval(differences, report.seed);
  row.p = sign_flip_p(differences, report.seed);
  row.reachable_recall = mean_of(reachable);
}

Row row_of(const Trial& trial, const Report& report, const std::vector<Ranking>& vector_order) {
  Row row;
  row.setting = trial.setting;
  row.not_reranked = trial.not_reranked;
  row.candidates = static_cast<double>(trial.candidates) / static_cast<double>(report.queries.size());
  std::vector<double> taus;
  std::vector<double> moved;
  for (std::size_t at = 0; at < report.queries.size(); ++at) {
    const auto change = change_between(vector_order[at], trial.rankings[at]);
    row.overlaps.push_back(change.overlap);
    taus.push_back(change.kendall);
    moved.push_back(change.first_moved ? 1 : 0);
  }
  row.overlap = mean_with_interval(row.overlaps, report.seed);
  row.kendall = mean_of(taus);
  row.first_moved = mean_of(moved);
  if (report.judged) compare(row, report, trial.rankings, vector_order);
  return row;
}

Latency latency_of_samples(const std::vector<double>& ms) {
  return {ms.size(), percentile(ms, 0.50), percentile(ms, 0.95), percentile(ms, 0.99)};
}

void correct_for_many(std::vector<Row>& rows) {
  std::vector<double> p_values;
  for (const auto& row : rows) {
    if (row.setting.weight > 0) p_values.push_back(row.p);
  }
  const auto corrected = holm(p_values);
  auto next = corrected.begin();
  for (auto& row : rows) {
    if (row.setting.weight > 0) row.p_holm = *next++;
  }
}

}  // namespace

Report analyse(const Plan& plan, const QuerySet& set, const Measured& measured, std::uint64_t seed) {
  Report report;
  report.collection = plan.target.collection;
  report.qrels = set.qrels;
  report.judged = set.judged;
  report.left_out = set.left_out;
  report.seed = seed;
  report.queries = set.queries;
  if (report.judged) {
    const auto found = qualities(measured.vector_order, report.queries);
    report.vector_quality = means_of(found, seed);
    report.vector_ndcg = each(found, &Quality::ndcg);
  }
  for (const auto& trial : measured.trials)
    report.rows.push_back(row_of(trial, report, measured.vector_order));
  if (report.judged) correct_for_many(report.rows);
  for (const auto& timing : measured.timings) {
    if (timing.wall_ms.empty()) continue;
    const auto whole = latency_of_samples(timing.wall_ms);
    if (timing.top_k == 0) {
      report.vector_latency = whole;
    } else {
      report.latencies.push_back(
          {timing.model, timing.top_k, whole, latency_of_samples(timing.reranking_ms)});
    }
  }
  return report;
}

std::size_t settings_tried(const Report& report) {
  return static_cast<std::size_t>(
      std::ranges::count_if(report.rows, [](const Row& row) { return row.setting.weight > 0; }));
}

const ModelLatency* latency_of(const Report& report, const Row& row) {
  const auto found = std::ranges::find_if(report.latencies, [&](const ModelLatency& latency) {
    return latency.model == row.setting.model && latency.top_k == row.setting.top_k;
  });
  return found == report.latencies.end() ? nullptr : &*found;
}

std::optional<double> added_p95_ms(const Report& report, const Row& row) {
  const auto* latency = latency_of(report, row);
  if (latency == nullptr || !report.vector_latency) return std::nullopt;
  return latency->whole.p95_ms - report.vector_latency->p95_ms;
}

}  // namespace qrerank::proxy::eval
