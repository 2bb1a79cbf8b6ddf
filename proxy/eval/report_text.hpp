// A report for the terminal.
#pragma once

#include <string>

#include "proxy/eval/analysis.hpp"
#include "proxy/eval/recommendation.hpp"

namespace qrerank::proxy::eval {

/// Definitions, a line for vector order and one for each setting, latencies, the advice.
[[nodiscard]] std::string print_text(const Report& report, const Advice& advice);

}  // namespace qrerank::proxy::eval
