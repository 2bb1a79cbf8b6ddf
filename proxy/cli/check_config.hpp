// `qrerank check-config`, and reading the configuration for the other commands.
#pragma once

#include <iosfwd>
#include <string>
#include <tl/expected.hpp>

#include "proxy/cli/command_line.hpp"
#include "proxy/config/config.hpp"

namespace qrerank::proxy::cli {

/// File, this process's environment, `--set`. The error is text for standard error, a line per problem.
tl::expected<config::Config, std::string> read_config(const ConfigArguments& arguments);

/// Prints the effective configuration (or which rule each collection asked for gets, and what that means) to
/// `out`, problems to `problems`.
ExitCode check_config(const CheckConfigCommand& command, std::ostream& out, std::ostream& problems);

}  // namespace qrerank::proxy::cli
