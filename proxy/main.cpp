// The program: reads the command line. What a command does stands in cli/, app.hpp and commands.cpp.
#include <cstdio>
#include <exception>
#include <variant>

#include "proxy/cli/command_line.hpp"
#include "proxy/commands.hpp"
#include "proxy/service/descriptors.hpp"
#include "proxy/service/hangups.hpp"

using namespace qrerank::proxy;

int main(int argc, char** argv) {
  service::fill_standard_descriptors();
  service::hold_hangups();  // from here on; serve() lets them in when it can reload
  try {
    const auto command = cli::parse(argc, argv);
    if (!std::holds_alternative<cli::ServeCommand>(command)) service::release_hangups();
    return run(command);
  } catch (const std::exception& bug) {
    std::fprintf(stderr, "qrerank: %s\n", bug.what());
    return cli::kFailed;
  }
}
