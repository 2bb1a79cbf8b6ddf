// `qrerank check-config --collection NAME`, for people.
#pragma once

#include <string>

#include "proxy/config/load.hpp"

namespace qrerank::proxy::cli {

/// Which rule the collection gets and why, then a line for each option: value, and the key and place that
/// said it, or that it is the default.
std::string explain_collection(const config::Config& config, const std::string& collection);

}  // namespace qrerank::proxy::cli
