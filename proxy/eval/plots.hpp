// A report's plots as inline SVG, coloured by the page's CSS variables (--ink, --grid, --series-0 …). Pure.
#pragma once

#include <string>

#include "proxy/eval/analysis.hpp"

namespace qrerank::proxy::eval {

/// How many colours the page declares; further series begin again.
inline constexpr std::size_t kSeriesColours = 6;

/// nDCG@10 over the weight, a line for each model and top_k with its 95 % intervals; vector order as a band.
[[nodiscard]] std::string plot_quality(const Report& report);

/// The gain of each setting over what it adds to the 95th percentile. Empty where nothing was timed.
[[nodiscard]] std::string plot_cost(const Report& report);

/// What `row` does to each query's nDCG@10, sorted from gain to loss.
[[nodiscard]] std::string plot_queries(const Report& report, const Row& row);

}  // namespace qrerank::proxy::eval
