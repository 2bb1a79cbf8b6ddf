#include "proxy/eval/plots.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "proxy/eval/plot_frame.hpp"
#include "proxy/eval/wording.hpp"

namespace qrerank::proxy::eval {
namespace {

// The rows of one model and top_k; rows of a series stand together in a report.
struct Series {
  std::string name;
  std::vector<const Row*> rows;
};

std::vector<Series> series_of(const Report& report) {
  std::vector<Series> series;
  for (const auto& row : report.rows) {
    auto name = fmt::format("{}, top_k {}", row.setting.model, row.setting.top_k);
    if (series.empty() || series.back().name != name) series.push_back({std::move(name), {}});
    series.back().rows.push_back(&row);
  }
  return series;
}

std::string colour(std::size_t series) {
  return fmt::format("var(--series-{})", series % kSeriesColours);
}

std::string dot(double x, double y, std::size_t series, std::string_view tooltip) {
  return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"{}\"><title>{}</title></circle>\n",
                     x, y, colour(series), escaped(tooltip));
}

std::string legend(const std::vector<Series>& series) {
  std::string out = "<p class=\"legend\">";
  for (std::size_t at = 0; at < series.size(); ++at)
    out +=
        fmt::format("<span><i style=\"background:{}\"></i>{}</span>", colour(at), escaped(series[at].name));
  return out + "</p>\n";
}

std::string quality_tooltip(const Row& row) {
  return fmt::format("{}: {:.4f} [{:.4f} {:.4f}]", setting_text(row.setting), row.quality.ndcg.value,
                     row.quality.ndcg.interval.low, row.quality.ndcg.interval.high);
}

std::string quality_line(const Series& series, std::size_t number, const PlotFrame& frame) {
  // Series lie beside each other by a hair, so that intervals at the same weight can be told apart.
  const double aside = 3.0 * static_cast<double>(number % kSeriesColours);
  std::string line;
  std::string out;
  for (const Row* row : series.rows) {
    const double x = frame.x(row->setting.weight) + aside;
    const auto& ndcg = row->quality.ndcg;
    line += fmt::format("{:.1f},{:.1f} ", x, frame.y(ndcg.value));
    out += fmt::format(
        "<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\" stroke=\"{3}\" "
        "stroke-opacity=\"0.5\"/>\n",
        x, frame.y(ndcg.interval.low), frame.y(ndcg.interval.high), colour(number));
    out += dot(x, frame.y(ndcg.value), number, quality_tooltip(*row));
  }
  return fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>\n", line,
                     colour(number)) +
         out;
}

}  // namespace

std::string plot_quality(const Report& report) {
  const auto& vector = report.vector_quality.ndcg;
  Range y{vector.interval.low, vector.interval.high};
  for (const auto& row : report.rows) {
    y.take(row.quality.ndcg.interval.low);
    y.take(row.quality.ndcg.interval.high);
  }
  const PlotFrame frame({0, 1}, y);
  std::string inside = fmt::format(
      "<rect x=\"{0:.1f}\" width=\"{1:.1f}\" y=\"{2:.1f}\" height=\"{3:.1f}\" class=\"band\"/>\n<line "
      "class=\"base\" x1=\"{0:.1f}\" x2=\"{4:.1f}\" y1=\"{5:.1f}\" y2=\"{5:.1f}\"><title>vector order: "
      "{6:.4f}</title></line>\n",
      frame.left(), frame.right() - frame.left(), frame.y(vector.interval.high),
      frame.y(vector.interval.low) - frame.y(vector.interval.high), frame.right(), frame.y(vector.value),
      vector.value);
  const auto series = series_of(report);
  for (std::size_t at = 0; at < series.size(); ++at) inside += quality_line(series[at], at, frame);
  return frame.svg("nDCG@10 over the weight", "weight (0: vector order, 1: the model alone)", "nDCG@10",
                   inside) +
         legend(series);
}

std::string plot_cost(const Report& report) {
  Range x{0, 0};
  Range y{0, 0};
  bool timed = false;
  for (const auto& row : report.rows) {
    const auto added = added_p95_ms(report, row);
    if (!added) continue;
    timed = true;
    x.take(*added);
    y.take(row.gain.value);
  }
  if (!timed) return "";
  const PlotFrame frame(x, y);
  std::string inside =
      fmt::format("<line class=\"base\" x1=\"{0:.1f}\" x2=\"{1:.1f}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\"/>\n",
                  frame.left(), frame.right(), frame.y(0));
  const auto series = series_of(report);
  for (std::size_t at = 0; at < series.size(); ++at) {
    for (const Row* row : series[at].rows) {
      if (const auto added = added_p95_ms(report, *row)) {
        inside += dot(frame.x(*added), frame.y(row->gain.value), at,
                      fmt::format("{}: {} nDCG@10, {} ms p95", setting_text(row->setting),
                                  signed_text(row->gain.value, 4), signed_text(*added, 0)));
      }
    }
  }
  return frame.svg("Gain in nDCG@10 over added latency", "added to the 95th percentile, ms",
                   "gain in nDCG@10", inside) +
         legend(series);
}

std::string plot_queries(const Report& report, const Row& row) {
  std::vector<double> losses;
  Range y{0, 0};
  for (std::size_t at = 0; at < report.queries.size(); ++at) {
    losses.push_back(report.vector_ndcg[at] - row.ndcg[at]);
    y.take(-losses.back());
  }
  const auto order = ascending(losses);
  const PlotFrame frame({0, static_cast<double>(order.size())}, y);
  const double width = std::max(0.5, (frame.x(1) - frame.x(0)) * 0.8);
  std::string inside;
  for (std::size_t at = 0; at < order.size(); ++at) {
    const double gain = -losses[order[at]];
    const double top = frame.y(std::max(0.0, gain));
    inside += fmt::format(
        "<rect x=\"{:.1f}\" width=\"{:.1f}\" y=\"{:.1f}\" height=\"{:.1f}\" "
        "class=\"{}\"><title>{}: {}</title></rect>\n",
        frame.x(static_cast<double>(at)), width, top, frame.y(std::min(0.0, gain)) - top,
        gain < 0 ? "loss" : "win", escaped(report.queries[order[at]].id), signed_text(gain, 3));
  }
  return frame.svg("Change of nDCG@10 by query", "queries, from the largest gain to the largest loss",
                   "change of nDCG@10", inside, false);
}

}  // namespace qrerank::proxy::eval
