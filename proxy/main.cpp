// The program: picks the command. What a command does stands in cli/ and app.hpp.
#include <unistd.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <variant>

#include "proxy/app.hpp"
#include "proxy/cli/check_config.hpp"
#include "proxy/cli/command_line.hpp"
#include "proxy/cli/pull.hpp"
#include "proxy/service/descriptors.hpp"
#include "proxy/service/hangups.hpp"
#include "proxy/version.hpp"

namespace {

using namespace qrerank::proxy;

struct Run {
  int operator()(const cli::ServeCommand& command) const {
    const auto config = cli::read_config(command.config);
    if (!config) {
      std::cerr << config.error();
      return cli::kBadUsage;
    }
    return serve(*config, [arguments = command.config] { return cli::read_config(arguments); });
  }
  int operator()(const cli::CheckConfigCommand& command) const {
    return cli::check_config(command, std::cout, std::cerr);
  }
  int operator()(const cli::PullCommand& command) const {
    return cli::pull(command, cli::hub_access_of_process(), ::isatty(STDOUT_FILENO) == 1, std::cout,
                     std::cerr);
  }
  int operator()(const cli::VersionCommand&) const {
    std::cout << "qrerank " << kVersion << (kWithTorch ? "" : " (without local models)") << std::endl;
    return std::cout ? cli::kOk : cli::kFailed;
  }
  int operator()(const cli::Leave& leave) const {
    (leave.code == cli::kOk ? std::cout : std::cerr) << leave.text << std::flush;
    return leave.code;
  }
};

}  // namespace

int main(int argc, char** argv) {
  service::fill_standard_descriptors();
  service::hold_hangups();  // from here on; serve() lets them in when it can reload
  try {
    const auto command = cli::parse(argc, argv);
    if (!std::holds_alternative<cli::ServeCommand>(command)) service::release_hangups();
    return std::visit(Run{}, command);
  } catch (const std::exception& bug) {
    std::fprintf(stderr, "qrerank: %s\n", bug.what());
    return cli::kFailed;
  }
}
