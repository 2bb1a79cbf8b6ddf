#include "proxy/eval/report_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "proxy/eval/wording.hpp"

namespace qrerank::proxy::eval {
namespace {

constexpr std::size_t kColumns = 100;  // of running text; tables are as wide as they are

using Cells = std::vector<std::string>;

// Columns that a terminal shows one position for each character of; only what is written here has wider ones.
std::size_t shown_width(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// The first column to the left, numbers to the right.
std::string aligned(const std::vector<Cells>& lines) {
  std::vector<std::size_t> widths(lines.front().size());
  for (const auto& line : lines) {
    for (std::size_t column = 0; column < line.size(); ++column)
      widths[column] = std::max(widths[column], shown_width(line[column]));
  }
  std::string text;
  for (const auto& line : lines) {
    for (std::size_t column = 0; column < line.size(); ++column) {
      const std::string gap(widths[column] - shown_width(line[column]), ' ');
      text += column == 0 ? line[column] + gap : "  " + gap + line[column];
    }
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

// In lines that a terminal need not break in the middle of a word.
std::string wrapped(std::string_view text) {
  std::string lines;
  std::size_t column = 0;
  while (!text.empty()) {
    const auto word = text.substr(0, text.find_first_of(" \n"));
    const bool fits = column == 0 || column + 1 + shown_width(word) <= kColumns;
    if (column > 0) lines += fits ? ' ' : '\n';
    column = (fits && column > 0 ? column + 1 : 0) + shown_width(word);
    lines += word;
    if (text.size() > word.size() && text[word.size()] == '\n') {
      lines += '\n';
      column = 0;
    }
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  return lines;
}

std::string with_interval(const Mean& mean) {
  return fmt::format("{:.4f} [{:.4f} {:.4f}]", mean.value, mean.interval.low, mean.interval.high);
}

std::string percent(double share) {
  return fmt::format("{:.0f} %", 100 * share);
}

void add_quality(Cells& cells, const QualityMeans& quality) {
  cells.insert(cells.end(), {with_interval(quality.ndcg), with_interval(quality.mrr),
                             with_interval(quality.recall), with_interval(quality.success)});
}

std::string settings_table(const Report& report) {
  Cells heading{"order", "top_k", "weight"};
  Cells vector{"vector", "", ""};
  if (report.judged) {
    heading.insert(heading.end(), {"nDCG@10", "MRR@10", "Recall@10", "success@1", "gain", "p", "reach"});
    add_quality(vector, report.vector_quality);
    vector.insert(vector.end(), {"", "", ""});
  }
  heading.insert(heading.end(), {"same 10", "tau", "new first", "added p95"});
  vector.insert(vector.end(), {"", "", "", ""});
  std::vector<Cells> lines{heading};
  if (report.judged) lines.push_back(vector);  // else there is nothing to say of it
  for (const auto& row : report.rows) {
    Cells cells{row.setting.model, fmt::format("{}", row.setting.top_k),
                fmt::format("{}", row.setting.weight)};
    if (report.judged) {
      add_quality(cells, row.quality);
      cells.push_back(fmt::format("{} [{} {}]", signed_text(row.gain.value, 4),
                                  signed_text(row.gain.interval.low, 4),
                                  signed_text(row.gain.interval.high, 4)));
      cells.push_back(p_text(row.p_holm));
      cells.push_back(percent(row.reachable_recall));
    }
    const auto added = added_p95_ms(report, row);
    cells.insert(cells.end(), {percent(row.overlap.value), fmt::format("{:.2f}", rounded(row.kendall, 2)),
                               percent(row.first_moved), added ? signed_text(*added, 0) + " ms" : "-"});
    lines.push_back(std::move(cells));
  }
  return aligned(lines);
}

Cells latency_cells(std::string order, std::string top_k, const Latency& whole) {
  return {std::move(order),
          std::move(top_k),
          fmt::format("{:.1f}", whole.p50_ms),
          fmt::format("{:.1f}", whole.p95_ms),
          fmt::format("{:.1f}", whole.p99_ms),
          fmt::format("{}", whole.searches)};
}

std::string latency_table(const Report& report) {
  std::vector<Cells> lines{
      {"latency in ms", "top_k", "p50", "p95", "p99", "searches", "of it reranking, p50"}};
  lines.push_back(latency_cells("vector", "", *report.vector_latency));
  lines.back().emplace_back("-");
  for (const auto& latency : report.latencies) {
    lines.push_back(latency_cells(latency.model, fmt::format("{}", latency.top_k), latency.whole));
    lines.back().push_back(fmt::format("{:.1f}", latency.reranking.p50_ms));
  }
  return aligned(lines);
}

}  // namespace

std::string print_text(const Report& report, const Advice& advice) {
  std::string text = fmt::format("collection {}, queries {}{}\n", report.collection, report.queries_from,
                                 report.judged ? ", judged by " + report.qrels : ", not judged");
  text += wrapped(remarks(report) + definitions(report)) + "\n" + settings_table(report);
  if (report.vector_latency) text += "\n" + latency_table(report);
  text += "\n" + advice.headline + "\n" + wrapped(advice.details + "\n");
  if (!advice.settings.empty()) text += "\nIn config.yaml:\n" + advice.settings;
  return text;
}

}  // namespace qrerank::proxy::eval
