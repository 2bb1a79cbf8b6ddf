#include "proxy/cli/command_line.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>
#include <string_view>

#include "reranker/options.hpp"

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

constexpr const char* kEvalFooter =
    "FOLDER holds, as BEIR's collections do:\n"
    "  queries.jsonl    {\"_id\": \"1\", \"text\": \"how to shrink photos\"} a line\n"
    "  qrels/test.tsv   query-id, corpus-id, score with tabs between, and that heading; score 1 and more is\n"
    "                   relevant. Without qrels the report tells what changes and what it costs.\n"
    "\n"
    "What a query searches with, the first of these that there is:\n"
    "  --vectors FILE   its vector: .npy, a row a line of queries.jsonl; or .jsonl, {\"_id\", \"vector\"} a "
    "line\n"
    "  --document-model M   Document{text, M}: the server makes the vector (bm25 with --using a sparse "
    "vector)\n"
    "  \"vector\": [0.1, …] or \"point\": 17 in its line of queries.jsonl (more like this point)\n"
    "\n"
    "corpus-id is the point's id, or what --id-field names in its payload. Of several points of one "
    "document\n"
    "the first counts.\n"
    "\n"
    "  qrerank eval --collection docs --queries ./docs-queries --vectors queries.npy --id-field doc_id \\\n"
    "      --html report.html\n"
    "\n"
    "Every query is asked for each model, top_k and weight; its texts are scored once, the other settings "
    "find\n"
    "the scores in the proxy's cache (scoring.cache_bytes). Latency is measured apart, never from the "
    "cache.\n"
    "docs/eval.md tells what the numbers are and how the advice comes about.";

void add_eval(CLI::App* command, EvalCommand& into) {
  command->footer(kEvalFooter);
  command->add_option("--url", into.url, "The running qrerank")->capture_default_str();
  command->add_option("--api-key-file", into.api_key_file,
                      "File that holds the API key alone; else QDRANT_API_KEY of the environment");
  command->add_option("--collection", into.collection, "The collection to search")->required();
  command->add_option("--queries", into.queries, "Folder with queries and judgements")
      ->required()
      ->type_name("FOLDER");
  command->add_option("--qrels", into.qrels, "Judgements of this name: dev for qrels/dev.tsv");
  command->add_option("--first", into.first, "Only the first N queries that count")->type_name("N");
  command->add_option("--vectors", into.vectors, "File of query vectors, .npy or .jsonl");
  command->add_option("--document-model", into.document_model, "Let the server make vectors with this model");
  command->add_option("--using", into.using_vector, "The vector to search, where a collection has several");
  command->add_option("--id-field", into.id_field, "Payload path of the corpus id; else the point's id");
  command->add_option("--instruction", into.instruction, "For models that follow instructions");
  const auto list = [&](const char* name, auto& values, const char* what) {
    return command->add_option(name, values, what)->delimiter(',')->expected(1)->take_all();
  };
  list("--model", into.models, "Models by their configured names; else the one that the proxy chooses");
  list("--top-k", into.top_k, "Numbers of candidates")->check(CLI::Range(1, 100'000))->capture_default_str();
  list("--weight", into.weights, "Weights of the model's judgement, 0 to 1")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  command->add_option("--latency-queries", into.latency_queries, "Searches timed for each top_k; 0: none")
      ->capture_default_str();
  command->add_option("--max-added-ms", into.most_added_ms,
                      "Advise only what adds at most this to the 95th percentile of latency");
  command->add_option("--seed", into.seed, "Of the resampling; equal seeds, equal intervals")
      ->capture_default_str();
  command->add_option("--json", into.json, "Write all numbers here");
  command->add_option("--html", into.html, "Write a page with plots here; it holds the queries' texts");
}

void add_rerank(CLI::App* command, RerankCommand& into) {
  command->footer(
      "Each line is a text; empty lines are skipped. Prints score TAB line, best first; scores are the "
      "model's\n"
      "probability, 0 to 1. No server is needed: the model is loaded, asked, and dropped.\n"
      "\n"
      "  apt-cache search image | qrerank rerank --config config.yaml --model minilm \"shrink photos\" | "
      "head");
  command->add_option("query", into.query, "What the lines are judged against")->required();
  command->add_option("--model", into.model, "A model of the configuration; else rerank.default_model");
  command->add_option("--instruction", into.instruction,
                      "For models that follow instructions: a text, or the name of a configured one");
  command->add_flag("--json", into.json, "An object a line: line (from 1), score, logit, text");
  add_config(command, into.config);
}

void add_bench(CLI::App* command, BenchCommand& into) {
  command->footer(
      "A row for each number of searches at once and of candidates: the time of one search (50th and 95th\n"
      "percentile: tokenizing, waiting, computing) and how many the model answers in a second. That is what\n"
      "reranking adds to Qdrant's own time. No server is needed; the score cache is off. Stop a running\n"
      "qrerank first, or it takes part of the processors. docs/tuning.md tells what to do with the numbers.\n"
      "\n"
      "  qrerank bench --config config.yaml --model minilm --texts my-documents.txt");
  command->add_option("--model", into.model, "A model of the configuration; else rerank.default_model");
  const auto list = [&](const char* name, auto& values, const char* what, std::size_t most) {
    command->add_option(name, values, what)
        ->delimiter(',')
        ->expected(1)
        ->take_all()
        ->check(CLI::Range(std::size_t{1}, most))
        ->capture_default_str();
  };
  list("--candidates", into.candidates, "Texts of a search", 2'000);
  list("--at-once", into.at_once, "Searches under way at the same time", 256);
  command->add_option("--texts", into.texts, "File of texts like yours, one a line; else made-up English")
      ->type_name("FILE");
  command->add_option("--words", into.words, "Length of the made-up texts")
      ->check(CLI::Range(std::size_t{1}, std::size_t{10'000}))
      ->capture_default_str();
  command
      ->add_option("--seconds", into.seconds,
                   "A row takes at least this, and three searches for each at once")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  command->add_flag("--json", into.json, "An object a line: the model, then the rows");
  add_config(command, into.config);
}

void add_models(CLI::App* command, ModelsCommand& into) {
  command->footer(
      "Nothing is loaded: the answer comes from the files' headers. Exit status 1 where one would not load.");
  command->add_flag("--json", into.json, "One JSON array");
  add_config(command, into.config);
}

std::string list_of_commands(const CLI::App& app) {
  std::string list = "Commands:\n";
  for (const auto* command : app.get_subcommands({}))
    list += fmt::format("  {:<14}{}\n", command->get_name(), command->get_description());
  return list + "qrerank help COMMAND tells more.\n";
}

Leave unknown_command(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names;
  for (const auto* command : app.get_subcommands({})) names.push_back(command->get_name());
  const std::vector<std::string_view> known(names.begin(), names.end());
  const auto near = reranker::nearest_name(word, known);
  return {"qrerank: there is no command " + word + (near.empty() ? "" : "; did you mean " + near + "?") +
              "\n\n" + list_of_commands(app),
          kBadUsage};
}

std::string not_expected(const CLI::App& command, const std::string& word) {
  if (!word.starts_with('-')) return word + " is one word too many";
  std::vector<std::string> names;
  for (const auto* option : command.get_options()) {
    if (option->get_group().empty()) continue;  // not in the help either
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  }
  const std::string name = word.substr(0, word.find('='));
  const auto near = reranker::nearest_name(name, std::vector<std::string_view>(names.begin(), names.end()));
  return name + " is no option of its own" + (near.empty() ? "" : "; did you mean " + near + "?");
}

// What CLI11 says of a mistake, with the command that it was made in, and of a word that is none of its own
// the nearest.
Leave mistake(const CLI::App& app, const CLI::ParseError& error) {
  const auto parsed = app.get_subcommands();
  const auto& command = parsed.empty() ? app : *parsed.front();
  const auto over = command.remaining();
  const bool unknown = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr && !over.empty();
  const std::string called = parsed.empty() ? "" : " " + command.get_name();
  return {fmt::format("qrerank{0}: {1}\nqrerank{0} --help tells more.\n", called,
                      unknown ? not_expected(command, over.front()) : error.what()),
          kBadUsage};
}

bool knows(const CLI::App& app, const std::string& word) {
  return std::ranges::any_of(app.get_subcommands({}),
                             [&](const CLI::App* command) { return command->get_name() == word; });
}

Leave help_about(const CLI::App& app, const std::string& about) {
  if (!knows(app, about)) return unknown_command(app, about);
  return {app.get_subcommand(about)->help(app.get_name()), kOk};
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
  check_app->footer(
      "All mistakes are told at once, each with its file and line, and the exit status is 2. Else the\n"
      "configuration in effect is printed, with where each value was said. Certificates are read, too; "
      "models\n"
      "are not: see qrerank models. Nothing is started.\n"
      "\n"
      "  qrerank check-config --config config.yaml --collection docs");
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

  EvalCommand eval;
  auto* eval_app = app.add_subcommand(
      "eval", "Tell whether reranking helps a collection, and what it costs, by a running qrerank");
  add_eval(eval_app, eval);

  RerankCommand rerank;
  auto* rerank_app = app.add_subcommand("rerank", "Score a query against the lines of standard input");
  add_rerank(rerank_app, rerank);

  BenchCommand bench;
  auto* bench_app = app.add_subcommand("bench", "Measure how fast a configured model judges on this machine");
  add_bench(bench_app, bench);

  ModelsCommand models;
  auto* models_app =
      app.add_subcommand("models", "Tell the configured models: where, how large, would they load");
  add_models(models_app, models);

  auto* version_app = app.add_subcommand("version", "Print the version");

  std::string about;
  auto* help_app = app.add_subcommand("help", "Print this, or the help of a command");
  help_app->add_option("command", about, "The command")->type_name("COMMAND");

  const std::string help = app.help();  // once a command is parsed it gives that command's
  if (argc < 2) return Leave{help, kBadUsage};
  // By CLI11 itself it would be an argument like any other that is not expected.
  if (const std::string first = argv[1]; !first.starts_with('-') && !knows(app, first))
    return unknown_command(app, first);
  try {
    app.parse(argc, const_cast<char**>(argv));  // CLI11 2.1 takes char** and does not write to it
  } catch (const CLI::CallForVersion&) {
    return VersionCommand{};
  } catch (const CLI::ParseError& error) {  // its way to tell, also for --help
    std::ostringstream out;
    std::ostringstream problem;
    if (app.exit(error, out, problem) != 0) return mistake(app, error);
    return Leave{out.str(), kOk};
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
  if (*eval_app) {
    return eval;
  }
  if (*rerank_app) {
    return rerank;
  }
  if (*bench_app) {
    return bench;
  }
  if (*models_app) {
    return models;
  }
  if (*help_app) {
    return about.empty() ? Leave{help, kOk} : help_about(app, about);
  }
  (void)version_app;
  return VersionCommand{};
}

}  // namespace qrerank::proxy::cli
