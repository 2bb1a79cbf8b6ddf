// What no single value can tell: the checks of a whole configuration, once each value has passed its own.
#pragma once

#include <string>
#include <vector>

#include "proxy/config/config.hpp"

namespace qrerank::proxy::config {

struct Finding {
  std::string path;     ///< of the key or entry that is to blame: "rerank.default_model", "models.minilm"
  std::string message;  ///< whole, with the path in it
};

/// Empty when all is well.
std::vector<Finding> check_together(const Config& config);

/// Why an admin listener at `at` must not be served as it stands: others can reach it and no token is asked
/// for. Empty when it may be.
std::string too_open(const Admin& admin, const Endpoint& at);

}  // namespace qrerank::proxy::config
