#include "proxy/eval/wording.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

#include "reranker/mock_scorer.hpp"

namespace qrerank::proxy::eval {
namespace {

constexpr std::string_view kMock = reranker::MockScorer::kName;

}  // namespace

double rounded(double value, int places) {
  const double scale = std::pow(10.0, places);
  return std::round(value * scale) / scale + 0.0;  // -0 + 0 is 0
}

std::string signed_text(double value, int places) {
  return fmt::format("{:+.{}f}", rounded(value, places), places);
}

std::string setting_text(const Setting& setting) {
  return fmt::format("{}, top_k {}, weight {}", setting.model, setting.top_k, setting.weight);
}

std::string relative_text(double difference, double base) {
  return base > 0 ? signed_text(100 * difference / base, 1) + " %" : signed_text(difference, 4);
}

std::string added_text(const Report& report, const Row& row) {
  const auto added = added_p95_ms(report, row);
  return added ? ", " + signed_text(*added, 0) + " ms p95" : "";
}

std::string settings_text(std::size_t count) {
  return fmt::format("{} setting{}", count, count == 1 ? "" : "s");
}

std::string p_text(double p) {
  return p < 0.001 ? "< 0.001" : fmt::format("{:.3f}", p);
}

std::string remarks(const Report& report) {
  std::string text;
  if (report.left_out > 0)
    text += fmt::format("{} queries of the folder were left out{}.\n", report.left_out,
                        report.judged ? " (nothing judged relevant, or beyond --first)" : "");
  std::size_t most = 0;
  for (const auto& row : report.rows) most = std::max(most, row.not_reranked);
  if (most > 0)
    text += fmt::format(
        "{} queries were not reranked: their hits have no text (is rerank.field right?), or there are no "
        "hits.\n",
        most);
  if (std::ranges::any_of(report.rows, [](const Row& row) { return row.setting.model == kMock; }))
    text += "mock only counts common words: it is for trying the wiring, and no model was measured.\n";
  return text;
}

std::string definitions(const Report& report) {
  std::string text;
  if (report.judged) {
    text += fmt::format(
        "nDCG@10 (gain the judgement, discount log2(rank+1), ideal over all judged), MRR@10, Recall@10 and "
        "success@1 as "
        "trec_eval defines them (ndcg_cut_10, recip_rank of the first 10, recall_10, success_1), the order "
        "as "
        "answered; means over {} queries with a relevant document.\n"
        "In brackets: 95 % intervals, percentile bootstrap over the queries ({} resamples, seed {}). p: "
        "paired sign-flip "
        "test of nDCG@10 against vector order, two-sided, after Holm's correction for {} (weight 0 is "
        "vector order).\n"
        "reach: the share of all relevant documents that is among the candidates; a reranker cannot find "
        "more.\n",
        report.queries.size(), kResamples, report.seed, settings_text(settings_tried(report)));
  }
  text +=
      "same 10: share of vector order's first 10 that stays among the first 10. tau: Kendall's, over the "
      "candidates. new first: queries with another first hit.\n";
  if (report.vector_latency) {
    text += fmt::format(
        "Latency: {} searches one after another on an otherwise idle connection, limit 10, none of the "
        "scores from the "
        "cache; between two samples by straight line.\n",
        report.vector_latency->searches);
  }
  return text;
}

}  // namespace qrerank::proxy::eval
