#include "proxy/cli/command_line.hpp"

#include <CLI/CLI.hpp>
#include <sstream>

namespace qrerank::proxy::cli {
namespace {

constexpr const char* kDescription =
    "qrerank stands in front of a Qdrant server. Searches that carry a rerank flag come back\n"
    "reordered by a cross-encoder; everything else passes through as it came.\n";

constexpr const char* kFooter =
    "Try it, with Qdrant on its usual port:\n"
    "  qrerank serve\n"
    "  curl -s 127.0.0.1:7333/collections/docs/points/query -H 'content-type: application/json' \\\n"
    "       -d '{\"query\": [0.1, 0.2], \"use_reranker\": true, \"rerank_query\": \"how to shrink "
    "photos\"}'\n"
    "\n"
    "With a real model:\n"
    "  qrerank pull cross-encoder/ms-marco-MiniLM-L6-v2\n"
    "  qrerank serve --set models.minilm.hub=cross-encoder/ms-marco-MiniLM-L6-v2 --set "
    "rerank.default_model=minilm\n"
    "\n"
    "Exit status: 0 done, 1 something failed while running, 2 the command line or configuration is wrong.\n"
    "Every setting is described in docs/configuration.md.";

void add_config(CLI::App* command, ConfigArguments& into) {
  command->add_option("--config", into.file, "YAML file with settings; without it the defaults hold");
  // One value an occurrence: a greedy list would swallow what follows.
  command
      ->add_option("--set", into.sets, "One setting over the file's, such as --set proxy.listen=127.0.0.1:0")
      ->expected(1)
      ->take_all()
      ->type_name("KEY=VALUE");
}

}  // namespace

Command parse(int argc, const char* const* argv) {
  CLI::App app(kDescription, "qrerank");
  app.footer(kFooter);
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Help for all commands");
  app.set_version_flag("--version", std::string(), "Print the version");

  ServeCommand serve;
  auto* serve_app = app.add_subcommand("serve", "Run the proxy until SIGTERM or Ctrl-C");
  add_config(serve_app, serve.config);

  CheckConfigCommand check;
  auto* check_app = app.add_subcommand(
      "check-config", "Tell all that is wrong with a configuration, or print what is in effect");
  add_config(check_app, check.config);
  check_app
      ->add_option("--collection", check.collections,
                   "Tell which rule this collection gets, and where each value was said")
      ->expected(1)
      ->take_all();
  check_app->add_flag("--print-reference", check.print_reference, "Print docs/configuration.md")->group("");

  PullCommand pull;
  auto* pull_app =
      app.add_subcommand("pull", "Download a model from the Hugging Face hub; a second time, verify it");
  pull_app->footer(
      "HF_TOKEN gives access to private models, HF_ENDPOINT names another hub; https_proxy and\n"
      "no_proxy are honoured. An interrupted download goes on where it stopped.");
  pull_app->add_option("name", pull.hub_name, "The model's name, such as BAAI/bge-reranker-base")->required();
  pull_app->add_option("--revision", pull.revision, "Branch, tag or commit")->capture_default_str();
  pull_app->add_option("--to", pull.folder,
                       "The model's folder; by default <models_folder>/<last part of the name>");
  pull_app->add_option("--retries", pull.retries, "Further attempts after a cut-off or a server's error")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  add_config(pull_app, pull.config);

  auto* version_app = app.add_subcommand("version", "Print the version");

  try {
    app.parse(argc, const_cast<char**>(argv));  // CLI11 2.1 takes char** and does not write to it
  } catch (const CLI::CallForVersion&) {
    return VersionCommand{};
  } catch (const CLI::ParseError& error) {  // its way to tell, also for --help
    std::ostringstream out;
    std::ostringstream problem;
    const int code = app.exit(error, out, problem);
    return Leave{out.str() + problem.str(), code == 0 ? kOk : kBadUsage};
  }
  if (*serve_app) {
    return serve;
  }
  if (*check_app) {
    return check;
  }
  if (*pull_app) {
    return pull;
  }
  (void)version_app;
  return VersionCommand{};
}

}  // namespace qrerank::proxy::cli
