// The command line as values. Running the commands is their own files' work.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace qrerank::proxy::cli {

/// What the program's exit status says.
enum ExitCode : int {
  kOk = 0,
  kFailed = 1,    ///< something went wrong while running
  kBadUsage = 2,  ///< the command line or the configuration is wrong; nothing was started
};

/// Shared by the commands that read the configuration.
struct ConfigArguments {
  std::optional<std::string> file;  ///< --config
  std::vector<std::string> sets;    ///< --set, in order
};

struct ServeCommand {
  ConfigArguments config;
};

struct CheckConfigCommand {
  ConfigArguments config;
  std::vector<std::string> collections;  ///< --collection: tell the rule of each
  bool print_reference = false;          ///< hidden: docs/configuration.md
};

struct PullCommand {
  ConfigArguments config;  ///< for models_folder
  std::string hub_name;    ///< "cross-encoder/ms-marco-MiniLM-L12-v2"
  std::string revision = "main";
  std::optional<std::string> folder;  ///< --to
  int retries = 5;
};

struct VersionCommand {};

/// Help was asked for, or the arguments are wrong: print and leave.
struct Leave {
  std::string text;
  ExitCode code = kOk;
};

using Command = std::variant<ServeCommand, CheckConfigCommand, PullCommand, VersionCommand, Leave>;

/// `argv[0]` is the program.
Command parse(int argc, const char* const* argv);

}  // namespace qrerank::proxy::cli
