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

}  // namespace qrerank::proxy::config
