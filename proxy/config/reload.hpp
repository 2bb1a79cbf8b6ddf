// From the configuration in force and a freshly read one to the one that a reload puts in force: what only a
// restart can change stays as it is. Pure; reading is load.hpp's work, swapping live.hpp's.
#pragma once

#include <functional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/config/config.hpp"
#include "proxy/config/load.hpp"

namespace qrerank::proxy::config {

/// Reads and checks the whole configuration as the program's start did. The error is a line per problem.
using ReadConfig = std::function<tl::expected<Config, std::string>()>;

struct Reloaded {
  Config config;                     ///< to put in force
  std::vector<std::string> changed;  ///< paths of what differs from the running one
  std::vector<std::string>
      after_restart;  ///< paths of what `fresh` says otherwise and only a restart changes
};

/// `fresh` has passed load(). The error: `fresh` makes sense only together with something that needs a
/// restart, such as a rule for a model that is not running yet.
tl::expected<Reloaded, Problems> reload(const Config& running, const Config& fresh);

}  // namespace qrerank::proxy::config
