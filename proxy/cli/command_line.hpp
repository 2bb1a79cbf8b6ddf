// The command line as values. Running the commands is their own files' work.
#pragma once

#include <cstddef>
#include <cstdint>
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

struct EvalCommand {
  std::string url = "http://127.0.0.1:7333";
  std::optional<std::string> api_key_file;
  std::string collection;
  std::string queries;               ///< folder in BEIR's layout
  std::optional<std::string> qrels;  ///< "dev": qrels/dev.tsv
  std::size_t first = 0;             ///< only so many queries; 0: all
  std::optional<std::string> vectors;
  std::string document_model;
  std::string using_vector;
  std::string id_field;
  std::string instruction;
  std::vector<std::string> models;  ///< empty: the proxy's own choice
  std::vector<unsigned> top_k{20, 50, 100};
  std::vector<double> weights{0.25, 0.5, 0.75, 1};
  std::size_t latency_queries = 30;
  std::optional<double> most_added_ms;
  std::uint64_t seed = 1;
  std::optional<std::string> json;
  std::optional<std::string> html;
};

struct RerankCommand {
  ConfigArguments config;
  std::string model;  ///< empty: rerank.default_model
  std::string query;
  std::string instruction;
  bool json = false;
};

struct BenchCommand {
  ConfigArguments config;
  std::string model;  ///< empty: rerank.default_model
  std::vector<std::size_t> candidates{10, 20, 50, 100};
  std::vector<std::size_t> at_once{1, 4};
  std::string texts;       ///< file of lines; empty: made-up English
  std::size_t words = 90;  ///< of a made-up text
  double seconds = 5;      ///< each row takes at least
  bool json = false;
};

struct ModelsCommand {
  ConfigArguments config;
  bool json = false;
};

struct VersionCommand {};

/// Help was asked for, or the arguments are wrong: print and leave.
struct Leave {
  std::string text;
  ExitCode code = kOk;
};

using Command = std::variant<ServeCommand, CheckConfigCommand, PullCommand, EvalCommand, RerankCommand,
                             BenchCommand, ModelsCommand, VersionCommand, Leave>;

/// `argv[0]` is the program.
Command parse(int argc, const char* const* argv);

}  // namespace qrerank::proxy::cli
