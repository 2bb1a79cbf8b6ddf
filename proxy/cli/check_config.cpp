#include "proxy/cli/check_config.hpp"

#include <ostream>

#include "proxy/config/load.hpp"
#include "proxy/config/print.hpp"

namespace qrerank::proxy::cli {

tl::expected<config::Config, std::string> read_config(const ConfigArguments& arguments) {
  auto loaded = config::load({arguments.file, config::process_environment(), arguments.sets});
  if (!loaded) {
    return tl::unexpected(config::to_string(loaded.error()));
  }
  return *std::move(loaded);
}

ExitCode check_config(const CheckConfigCommand& command, std::ostream& out, std::ostream& problems) {
  if (command.print_reference) {
    out << config::print_reference() << std::flush;
    return out ? kOk : kFailed;
  }
  const auto loaded = read_config(command.config);
  if (!loaded) {
    problems << loaded.error();
    return kBadUsage;
  }
  if (command.collections.empty()) {
    out << config::print_effective(*loaded);
  }
  for (const auto& collection : command.collections) {
    out << config::print_rule(*loaded, collection);
  }
  out.flush();
  return out ? kOk : kFailed;
}

}  // namespace qrerank::proxy::cli
