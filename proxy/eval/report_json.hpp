// A report for programs.
#pragma once

#include <string>

#include "proxy/eval/analysis.hpp"
#include "proxy/eval/recommendation.hpp"

namespace qrerank::proxy::eval {

/// One JSON object on one line; docs/eval.md lists its members. Numbers in full.
[[nodiscard]] std::string print_json(const Report& report, const Advice& advice);

}  // namespace qrerank::proxy::eval
