// From a YAML file, the environment and `--set` to a checked Config. Later ones win: defaults, file,
// environment, `--set`. Everything that is wrong is told at once, each with where it was said.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "proxy/config/config.hpp"

namespace qrerank::proxy::config {

/// Where a configuration comes from. Values only: nothing here reads the process's own environment.
struct Sources {
  std::optional<std::string> file;                               ///< path of a YAML file; none: defaults
  std::vector<std::pair<std::string, std::string>> environment;  ///< of the process, whole
  std::vector<std::string> sets;                                 ///< "proxy.listen=127.0.0.1:0", in order
};

/// One thing that is wrong.
struct Problem {
  std::string origin;   ///< "config.yaml:12", "QRERANK_PROXY__LISTEN", "--set proxy.listen"; may be empty
  std::string message;  ///< "proxy.lisen is not a known key; did you mean proxy.listen?"
};

using Problems = std::vector<Problem>;

/// One line a problem, each "origin: message".
std::string to_string(const Problems& problems);

/// Reads and checks. A file is at most 1 MiB.
tl::expected<Config, Problems> load(const Sources& sources);

/// The same with the file's text at hand; `name` is how errors call it. `sources.file` is not looked at, nor
/// any other file: where `admin.token_file` is set, the token stays empty.
tl::expected<Config, Problems> load_text(std::string_view yaml, const std::string& name,
                                         const Sources& sources = {});

/// The environment of this process, for Sources.
std::vector<std::pair<std::string, std::string>> process_environment();

}  // namespace qrerank::proxy::config
