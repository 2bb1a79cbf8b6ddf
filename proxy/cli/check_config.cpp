#include "proxy/cli/check_config.hpp"

#include <ostream>
#include <utility>

#include "proxy/cli/explain_collection.hpp"
#include "proxy/config/load.hpp"
#include "proxy/config/print.hpp"
#include "proxy/tls/context.hpp"

namespace qrerank::proxy::cli {

tl::expected<config::Config, std::string> read_config(const ConfigArguments& arguments) {
  return config::load({arguments.file, config::process_environment(), arguments.sets})
      .map_error([](const config::Problems& problems) { return config::to_string(problems); });
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
  const auto tls = tls::read_contexts(*loaded);
  if (!tls) {
    problems << tls.error() << "\n";
    return kBadUsage;
  }
  for (const auto* warnings : {&loaded->warnings, &tls->warnings}) {
    for (const auto& warning : *warnings) problems << "warning: " << warning << "\n";
  }
  if (command.collections.empty()) {
    out << config::print_with_origins(*loaded);
  }
  for (const auto& collection : command.collections) {
    out << explain_collection(*loaded, collection);
  }
  out.flush();
  return out ? kOk : kFailed;
}

}  // namespace qrerank::proxy::cli
