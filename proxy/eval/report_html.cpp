#include "proxy/eval/report_html.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "proxy/eval/plot_frame.hpp"
#include "proxy/eval/plots.hpp"
#include "proxy/eval/wording.hpp"

namespace qrerank::proxy::eval {
namespace {

constexpr std::size_t kShownQueries = 10;

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; --paper: #fff; --ink: #1c2127; --soft: #5b6570; --grid: #dfe3e8; --band: #8a94a033;
  --good: #0b7a4b; --bad: #b3361f; --series-0: #1f5fbf; --series-1: #c2560c; --series-2: #0b7a4b; --series-3: #8a3ab0;
  --series-4: #8a6d00; --series-5: #0a7f8c; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181d; --ink: #e6e9ed; --soft: #9aa5b1; --grid: #2d343d;
  --band: #9aa5b133; --good: #4cc38a; --bad: #ff8a70; --series-0: #6ea8fe; --series-1: #ffa657; --series-2: #4cc38a;
  --series-3: #c792ea; --series-4: #e3c34d; --series-5: #56d4dd; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 74rem; margin: 2rem auto;
  padding: 0 1rem; }
h1, h2, p { overflow-wrap: anywhere; max-width: 60rem; } h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2.2rem; }
.advice { border-left: 4px solid var(--series-0); padding: .2rem 1rem; font-size: 1.1rem; }
.advice.leave, .advice.undecided { border-color: var(--series-1); }
.soft { color: var(--soft); font-size: .9rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .45rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--grid); }
th:first-child, td:first-child { text-align: left; } td.text { white-space: normal; text-align: left; }
tr.chosen { font-weight: 600; } td small { display: block; color: var(--soft); font-weight: 400; }
svg { width: 100%; min-width: 40rem; max-width: 60rem; height: auto; } svg text { fill: var(--soft); font-size: 12px; } svg .axis { fill: var(--ink); }
.grid { stroke: var(--grid); } .band { fill: var(--band); } .base { stroke: var(--soft); stroke-dasharray: 5 4; }
.win { fill: var(--good); } .loss { fill: var(--bad); }
.legend span { display: inline-block; margin-right: 1.2rem; font-size: .85rem; }
.legend i { display: inline-block; width: .7rem; height: .7rem; border-radius: 50%; margin-right: .4rem; }
pre { background: var(--band); padding: .8rem; overflow-x: auto; }
)";

std::string mean_cell(const Mean& mean) {
  return fmt::format("<td>{:.4f} <small>[{:.4f} {:.4f}]</small></td>", mean.value, mean.interval.low,
                     mean.interval.high);
}

std::string quality_cells(const QualityMeans& quality) {
  return mean_cell(quality.ndcg) + mean_cell(quality.mrr) + mean_cell(quality.recall) +
         mean_cell(quality.success);
}

std::string row_html(const Report& report, const Row& row, bool chosen) {
  std::string out = fmt::format("<tr{}><td>{}</td><td>{}</td><td>{}</td>", chosen ? " class=\"chosen\"" : "",
                                escaped(row.setting.model), row.setting.top_k, row.setting.weight);
  if (report.judged) {
    out += quality_cells(row.quality) +
           fmt::format("<td>{} <small>[{} {}]</small></td><td>{}</td><td>{:.0f} %</td>",
                       signed_text(row.gain.value, 4), signed_text(row.gain.interval.low, 4),
                       signed_text(row.gain.interval.high, 4), escaped(p_text(row.p_holm)),
                       100 * row.reachable_recall);
  }
  const auto added = added_p95_ms(report, row);
  return out + fmt::format("<td>{:.0f} %</td><td>{:.2f}</td><td>{:.0f} %</td><td>{}</td></tr>\n",
                           100 * row.overlap.value, rounded(row.kendall, 2), 100 * row.first_moved,
                           added ? signed_text(*added, 0) + " ms" : "–");
}

std::string settings_html(const Report& report, const Advice& advice) {
  std::string out = "<div class=\"wide\"><table><tr><th>order</th><th>top_k</th><th>weight</th>";
  if (report.judged)
    out +=
        "<th>nDCG@10</th><th>MRR@10</th><th>Recall@10</th><th>success@1</th><th>gain</th><th>p</"
        "th><th>reach</th>";
  out += "<th>same 10</th><th>tau</th><th>new first</th><th>added p95</th></tr>\n";
  if (report.judged)
    out += "<tr><td>vector</td><td></td><td></td>" + quality_cells(report.vector_quality) +
           "<td></td><td></td><td></td><td></td><td></td><td></td><td></td></tr>\n";
  for (const auto& row : report.rows) out += row_html(report, row, &row == advice.row);
  return out + "</table></div>\n";
}

std::string latency_row(std::string_view order, std::string_view top_k, const Latency& latency) {
  return fmt::format("<tr><td>{}</td><td>{}</td><td>{:.1f}</td><td>{:.1f}</td><td>{:.1f}</td></tr>\n",
                     escaped(order), top_k, latency.p50_ms, latency.p95_ms, latency.p99_ms);
}

std::string latency_html(const Report& report) {
  if (!report.vector_latency) return "";
  std::string out =
      "<h2>Latency, ms</h2><div "
      "class=\"wide\"><table><tr><th>order</th><th>top_k</th><th>p50</th><th>p95</th>"
      "<th>p99</th></tr>\n";
  out += latency_row("vector", "", *report.vector_latency);
  for (const auto& latency : report.latencies)
    out += latency_row(latency.model, std::to_string(latency.top_k), latency.whole);
  return out + "</table></div>\n";
}

// The first of `order`, places of queries.
std::string queries_html(const Report& report, const Row& row, std::string_view heading,
                         const std::vector<std::size_t>& order) {
  std::string out = fmt::format("<h2>{}</h2>", escaped(heading));
  if (order.empty()) return out + "<p class=\"soft\">None.</p>\n";
  out += "<div class=\"wide\"><table>\n";
  for (std::size_t at = 0; at < std::min(kShownQueries, order.size()); ++at) {
    const auto place = order[at];
    const auto value = report.judged
                           ? fmt::format("{:.3f} → {:.3f}", report.vector_ndcg[place], row.ndcg[place])
                           : fmt::format("{:.0f} % the same", 100 * row.overlaps[place]);
    out += fmt::format("<tr><td>{}</td><td>{}</td><td class=\"text\">{}</td></tr>\n",
                       escaped(report.queries[place].id), value, escaped(report.queries[place].text));
  }
  return out + "</table></div>\n";
}

std::string by_query_html(const Report& report, const Row& row) {
  if (!report.judged)
    return queries_html(report, row, "Queries that change most, " + setting_text(row.setting),
                        ascending(row.overlaps));
  std::vector<double> losses;
  for (std::size_t at = 0; at < report.queries.size(); ++at)
    losses.push_back(report.vector_ndcg[at] - row.ndcg[at]);
  auto helped = ascending(losses);
  std::vector<std::size_t> hurt(helped.rbegin(), helped.rend());
  std::erase_if(helped, [&](std::size_t at) { return losses[at] >= 0; });
  std::erase_if(hurt, [&](std::size_t at) { return losses[at] <= 0; });
  return fmt::format("<h2>Query by query, {}</h2>\n", escaped(setting_text(row.setting))) +
         plot_queries(report, row) + queries_html(report, row, "Helped most", helped) +
         queries_html(report, row, "Hurt most", hurt);
}

std::string_view advice_class(Verdict verdict) {
  return verdict == Verdict::leave ? "leave" : verdict == Verdict::undecided ? "undecided" : "rerank";
}

}  // namespace

std::string print_html(const Report& report, const Advice& advice) {
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\">\n<title>Reranking {0}</title><style>{1}</style>\n<h1>Does reranking "
      "help "
      "{0}?</h1>\n<div class=\"advice {2}\"><p>{3}</p></div>\n<p>{4}</p>\n",
      escaped(report.collection), kStyle, advice_class(advice.verdict), escaped(advice.headline),
      escaped(advice.details));
  if (!advice.settings.empty()) out += "<p>In config.yaml:</p><pre>" + escaped(advice.settings) + "</pre>\n";
  if (const auto said = remarks(report); !said.empty()) out += "<p>" + escaped(said) + "</p>\n";
  if (report.judged) {
    out += "<h2>Quality over the weight</h2>\n" + plot_quality(report);
    if (const auto cost = plot_cost(report); !cost.empty()) out += "<h2>Gain and cost</h2>\n" + cost;
  }
  out += "<h2>All settings</h2>\n" + settings_html(report, advice) + latency_html(report);
  if (advice.row != nullptr) out += by_query_html(report, *advice.row);
  out += fmt::format(
      "<h2>What the numbers are</h2>\n<p class=\"soft\">{}</p>\n<p class=\"soft\">Queries: {}. "
      "{}</p></html>\n",
      escaped(definitions(report)), escaped(report.queries_from),
      report.judged ? "Judgements: " + escaped(report.qrels) : std::string("No judgements."));
  return out;
}

}  // namespace qrerank::proxy::eval
