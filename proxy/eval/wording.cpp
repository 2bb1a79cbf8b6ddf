#include "proxy/eval/wording.hpp"

#include <fmt/format.h>

namespace qrerank::proxy::eval {

std::string setting_text(const Setting& setting) {
  return fmt::format("{}, top_k {}, weight {}", setting.model, setting.top_k, setting.weight);
}

std::string relative_text(double difference, double base) {
  return base > 0 ? fmt::format("{:+.1f} %", 100 * difference / base) : fmt::format("{:+.4f}", difference);
}

std::string added_text(const Report& report, const Row& row) {
  const auto added = added_p95_ms(report, row);
  return added ? fmt::format(", {:+.0f} ms p95", *added) : "";
}

std::string p_text(double p) {
  return p < 0.001 ? "< 0.001" : fmt::format("{:.3f}", p);
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
        "test of nDCG@10 against vector order, two-sided, after Holm's correction for {} settings.\n"
        "reach: the share of all relevant documents that is among the candidates; a reranker cannot find "
        "more.\n",
        report.queries.size(), kResamples, report.seed, settings_tried(report));
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
