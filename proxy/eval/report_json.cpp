#include "proxy/eval/report_json.hpp"

#include <boost/json.hpp>

namespace qrerank::proxy::eval {
namespace {

namespace json = boost::json;

json::object mean_json(const Mean& mean) {
  return {{"mean", mean.value}, {"low", mean.interval.low}, {"high", mean.interval.high}};
}

json::object quality_json(const QualityMeans& quality) {
  return {{"ndcg@10", mean_json(quality.ndcg)},
          {"mrr@10", mean_json(quality.mrr)},
          {"recall@10", mean_json(quality.recall)},
          {"success@1", mean_json(quality.success)}};
}

json::object latency_json(const Latency& latency) {
  return {{"searches", latency.searches},
          {"p50_ms", latency.p50_ms},
          {"p95_ms", latency.p95_ms},
          {"p99_ms", latency.p99_ms}};
}

json::object setting_json(const Setting& setting) {
  return {{"model", setting.model}, {"top_k", setting.top_k}, {"weight", setting.weight}};
}

json::object row_json(const Report& report, const Row& row) {
  auto object = setting_json(row.setting);
  object["candidates_per_query"] = row.candidates;
  object["queries_not_reranked"] = row.not_reranked;
  object["overlap@10"] = mean_json(row.overlap);
  object["kendall_tau"] = row.kendall;
  object["first_hit_changed"] = row.first_moved;
  if (const auto added = added_p95_ms(report, row)) object["added_p95_ms"] = *added;
  if (!report.judged) return object;
  object["quality"] = quality_json(row.quality);
  object["gain_ndcg@10"] = mean_json(row.gain);
  object["p"] = row.p;
  object["p_holm"] = row.p_holm;
  object["queries_better"] = row.better;
  object["queries_worse"] = row.worse;
  object["reachable_recall"] = row.reachable_recall;
  return object;
}

json::array queries_json(const Report& report) {
  json::array queries;
  for (std::size_t at = 0; at < report.queries.size(); ++at) {
    json::object query{{"_id", report.queries[at].id}};
    json::array overlaps;
    json::array ndcg;
    for (const auto& row : report.rows) {
      overlaps.emplace_back(row.overlaps[at]);
      if (report.judged) ndcg.emplace_back(row.ndcg[at]);
    }
    query["overlap@10"] = std::move(overlaps);
    if (report.judged) {
      query["vector_ndcg@10"] = report.vector_ndcg[at];
      query["ndcg@10"] = std::move(ndcg);
    }
    queries.push_back(std::move(query));
  }
  return queries;
}

json::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::rerank:
      return "rerank";
    case Verdict::undecided:
      return "undecided";
    case Verdict::leave:
      return "leave";
    case Verdict::unjudged:
      return "unjudged";
  }
  return "";
}

}  // namespace

std::string print_json(const Report& report, const Advice& advice) {
  json::object recommendation{
      {"verdict", verdict_name(advice.verdict)}, {"headline", advice.headline}, {"details", advice.details}};
  if (advice.row != nullptr) recommendation["setting"] = setting_json(advice.row->setting);
  json::object root{{"collection", report.collection},
                    {"queries_from", report.queries_from},
                    {"judged", report.judged},
                    {"queries", report.queries.size()},
                    {"queries_left_out", report.left_out},
                    {"seed", report.seed},
                    {"resamples", kResamples},
                    {"recommendation", std::move(recommendation)}};
  json::object vector;
  if (report.judged) {
    root["qrels"] = report.qrels;
    vector["quality"] = quality_json(report.vector_quality);
  }
  if (report.vector_latency) vector["latency"] = latency_json(*report.vector_latency);
  root["vector"] = std::move(vector);
  json::array rows;
  for (const auto& row : report.rows) rows.push_back(row_json(report, row));
  root["settings"] = std::move(rows);
  json::array latencies;
  for (const auto& latency : report.latencies) {
    latencies.push_back(json::object{{"model", latency.model},
                                     {"top_k", latency.top_k},
                                     {"whole", latency_json(latency.whole)},
                                     {"reranking", latency_json(latency.reranking)}});
  }
  root["latencies"] = std::move(latencies);
  root["by_query"] = queries_json(report);
  return json::serialize(root) + "\n";
}

}  // namespace qrerank::proxy::eval
