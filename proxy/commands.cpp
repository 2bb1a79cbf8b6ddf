#include "proxy/commands.hpp"

#include <unistd.h>

#include <chrono>
#include <iostream>
#include <utility>
#include <variant>

#include "proxy/app.hpp"
#include "proxy/cli/bench.hpp"
#include "proxy/cli/check_config.hpp"
#include "proxy/cli/eval.hpp"
#include "proxy/cli/models.hpp"
#include "proxy/cli/pull.hpp"
#include "proxy/cli/rerank.hpp"
#include "proxy/scorers.hpp"
#include "proxy/version.hpp"

namespace qrerank::proxy {
namespace {

template <class Work>
int with_config(const cli::ConfigArguments& arguments, const Work& work) {
  const auto config = cli::read_config(arguments);
  if (config) return work(*config);
  std::cerr << config.error();
  return cli::kBadUsage;
}

// For a command that loads one model, waits for it, and leaves.
template <class Work>
int with_scorer(config::Config config, const Work& work) {
  config.scoring.load_timeout = std::chrono::hours(1);  // somebody waits for this one model
  reranker::Observer unobserved;
  const auto scorers = make_scorers(config, unobserved).all;
  return work(config, *scorers);
}

struct Run {
  int operator()(const cli::ServeCommand& command) const {
    return with_config(command.config, [&](const config::Config& config) {
      return serve(config, [arguments = command.config] { return cli::read_config(arguments); });
    });
  }
  int operator()(const cli::CheckConfigCommand& command) const {
    return cli::check_config(command, std::cout, std::cerr);
  }
  int operator()(const cli::PullCommand& command) const {
    return cli::pull(command, cli::hub_access_of_process(), ::isatty(STDOUT_FILENO) == 1, std::cout,
                     std::cerr);
  }
  int operator()(const cli::EvalCommand& command) const {
    return cli::eval(command, cli::api_key_of_process(), ::isatty(STDERR_FILENO) == 1, std::cout, std::cerr);
  }
  int operator()(const cli::RerankCommand& command) const {
    if (::isatty(STDIN_FILENO) == 1) std::cerr << "Type texts, a line each; Ctrl-D ends them.\n";
    return with_config(command.config, [&](const config::Config& read) {
      return with_scorer(read, [&](const config::Config& config, reranker::Scorer& scorer) {
        return cli::rerank(command, config, scorer, std::cin, std::cout, std::cerr);
      });
    });
  }
  int operator()(const cli::BenchCommand& command) const {
    return with_config(command.config, [&](config::Config read) {
      read.scoring.cache_bytes = 0;  // the model is measured
      return with_scorer(std::move(read), [&](const config::Config& config, reranker::Scorer& scorer) {
        return cli::bench(command, config, scorer, std::cout, std::cerr);
      });
    });
  }
  int operator()(const cli::ModelsCommand& command) const {
    return with_config(command.config, [&](const config::Config& config) {
      const cli::NeedsOf needs_of{
          [&](const config::Model& model) { return model_needs(config, model); },
          [&](const config::EmbeddingModel& model) { return model_needs(config, model); }};
      return cli::models(command, config, needs_of, std::cout);
    });
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

int run(const cli::Command& command) {
  return std::visit(Run{}, command);
}

}  // namespace qrerank::proxy
