// Numbers of a report as people read them; shared by the advice, the table and the page.
#pragma once

#include <string>

#include "proxy/eval/analysis.hpp"

namespace qrerank::proxy::eval {

/// As it is printed with so many places behind the point: never a minus before nothing but zeros.
[[nodiscard]] double rounded(double value, int places);

/// "+0.0123", "-12", "+0": with its sign, and as rounded().
[[nodiscard]] std::string signed_text(double value, int places);

/// "minilm, top_k 50, weight 0.7"
[[nodiscard]] std::string setting_text(const Setting& setting);

/// "+8.1 %" of `base`; the difference itself where the base is 0.
[[nodiscard]] std::string relative_text(double difference, double base);

/// "1 setting", "4 settings"
[[nodiscard]] std::string settings_text(std::size_t count);

/// ", +210 ms p95", or nothing where it was not timed.
[[nodiscard]] std::string added_text(const Report& report, const Row& row);

/// "0.012", "< 0.001"
[[nodiscard]] std::string p_text(double p);

/// What became of queries that are not in the numbers, or are there as they were: sentences, a line each; or
/// empty.
[[nodiscard]] std::string remarks(const Report& report);

/// What the numbers are, by whose definitions: sentences, a line each.
[[nodiscard]] std::string definitions(const Report& report);

}  // namespace qrerank::proxy::eval
