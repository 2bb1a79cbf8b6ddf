// The running program: owns everything, in the order it is built.
#pragma once

#include "proxy/config/config.hpp"
#include "proxy/config/reload.hpp"

namespace qrerank::proxy {

/// Serves until SIGTERM or SIGINT, then drains. Prints `listening proxy=HOST:PORT admin=HOST:PORT` to
/// standard output when ready. On SIGHUP `read_config` is asked for the configuration anew. Returns the
/// process's exit code: 0, or 1 when a listener could not be had (the reason is on standard error).
int serve(const config::Config& config, config::ReadConfig read_config);

}  // namespace qrerank::proxy
