// What each command of the command line runs with: its configuration, the terminal, the scorers.
#pragma once

#include "proxy/cli/command_line.hpp"

namespace qrerank::proxy {

/// Runs it; the exit status.
int run(const cli::Command& command);

}  // namespace qrerank::proxy
