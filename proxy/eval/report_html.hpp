// A report as one HTML page that fetches nothing: plots as inline SVG, light and dark.
#pragma once

#include <string>

#include "proxy/eval/analysis.hpp"
#include "proxy/eval/recommendation.hpp"

namespace qrerank::proxy::eval {

/// Holds the queries' texts: it is the file of who asked for it.
[[nodiscard]] std::string print_html(const Report& report, const Advice& advice);

}  // namespace qrerank::proxy::eval
