#include "proxy/cli/check_config.hpp"

#include <ostream>
#include <utility>

#include "proxy/cli/explain_collection.hpp"
#include "proxy/config/load.hpp"
#include "proxy/config/print.hpp"
#include "proxy/tls/context.hpp"

namespace qrerank::proxy::cli {

namespace {

tl::expected<config::Loaded, std::string> read(const ConfigArguments& arguments) {
  return config::load_with_origins({arguments.file, config::process_environment(), arguments.sets})
      .map_error([](const config::Problems& problems) { return config::to_string(problems); });
}

}  // namespace

tl::expected<config::Config, std::string> read_config(const ConfigArguments& arguments) {
  return read(arguments).map([](config::Loaded loaded) { return std::move(loaded.config); });
}

ExitCode check_config(const CheckConfigCommand& command, std::ostream& out, std::ostream& problems) {
  if (command.print_reference) {
    out << config::print_reference() << std::flush;
    return out ? kOk : kFailed;
  }
  const auto loaded = read(command.config);
  if (!loaded) {
    problems << loaded.error();
    return kBadUsage;
  }
  if (const auto tls = tls::read_contexts(loaded->config); !tls) {
    problems << tls.error() << "\n";
    return kBadUsage;
  }
  for (const auto& warning : loaded->config.warnings) {
    problems << "warning: " << warning << "\n";
  }
  if (command.collections.empty()) {
    out << config::print_effective(loaded->config);
  }
  for (const auto& collection : command.collections) {
    out << explain_collection(*loaded, collection);
  }
  out.flush();
  return out ? kOk : kFailed;
}

}  // namespace qrerank::proxy::cli
