#include "proxy/cli/eval.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <ostream>
#include <utility>

#include "proxy/config/secret_file.hpp"
#include "proxy/eval/analysis.hpp"
#include "proxy/eval/experiment.hpp"
#include "proxy/eval/proxy_client.hpp"
#include "proxy/eval/queries.hpp"
#include "proxy/eval/recommendation.hpp"
#include "proxy/eval/report_html.hpp"
#include "proxy/eval/report_json.hpp"
#include "proxy/eval/report_text.hpp"

namespace qrerank::proxy::cli {
namespace {

using Text = tl::expected<std::string, std::string>;
using Clock = std::chrono::steady_clock;

template <class Value>
std::vector<Value> sorted_once(std::vector<Value> values) {
  std::ranges::sort(values);
  values.erase(std::ranges::unique(values).begin(), values.end());
  return values;
}

eval::Plan plan_of(const EvalCommand& command) {
  eval::Plan plan{{command.collection, command.using_vector, command.id_field, command.instruction},
                  command.models,
                  sorted_once(command.top_k),
                  sorted_once(command.weights),
                  command.latency_queries};
  if (plan.models.empty()) plan.models.emplace_back();  // the proxy's own choice
  return plan;
}

eval::QuerySource source_of(const EvalCommand& command) {
  return {command.queries, command.qrels, command.first, command.vectors, command.document_model};
}

using Key = tl::expected<config::Secret, std::string>;

bool is_header_value(const config::Secret& key) {
  return std::ranges::all_of(key.reveal(), [](char c) { return c > ' ' && c < 0x7F; });
}

// Of the file where one is named, else the environment's. A file that others can read is warned of.
Key key_of(const EvalCommand& command, config::Secret of_process, std::ostream& problems) {
  Key key = std::move(of_process);
  if (command.api_key_file) {
    key = config::read_secret_file(*command.api_key_file);
    if (!key) return tl::unexpected("--api-key-file " + key.error());
    if (key->empty()) return tl::unexpected("--api-key-file " + *command.api_key_file + ": is empty");
    if (const auto why = config::exposure_of(*command.api_key_file))
      problems << "qrerank eval: warning: " << *command.api_key_file << " holds the API key, " << *why
               << "\n";
  }
  if (!is_header_value(*key))
    return tl::unexpected(std::string("the API key holds characters that a key cannot have"));
  return key;
}

Text write_file(const std::string& file, const std::string& text) {
  std::ofstream stream(file, std::ios::binary | std::ios::trunc);
  stream << text << std::flush;
  if (!stream) return tl::unexpected(file + ": " + std::strerror(errno));
  return file;
}

// One line that is rewritten on a terminal; elsewhere a line whenever the step changes.
class ProgressLine {
 public:
  ProgressLine(bool on_terminal, std::ostream& out) : on_terminal_(on_terminal), out_(out) {}

  void show(const eval::Progress& progress) {
    const auto now = Clock::now();
    const bool new_step = progress.step != step_;
    if (!new_step && (!on_terminal_ || now - shown_ < std::chrono::milliseconds(100))) return;
    step_ = progress.step;
    shown_ = now;
    const auto share = 100 * progress.done / std::max<std::size_t>(1, progress.total);
    if (on_terminal_) {
      out_ << fmt::format("\r\x1b[K{}: search {} of {}, {} %{}", progress.step, progress.done + 1,
                          progress.total, share, left(progress, now))
           << std::flush;
    } else {
      // Steps alternate query by query: once each is enough where nobody watches.
      if (std::ranges::find(told_, step_) != told_.end()) return;
      told_.push_back(step_);
      out_ << fmt::format("{} ({} of {} searches done)\n", progress.step, progress.done, progress.total)
           << std::flush;
    }
  }

  void clear() {
    if (on_terminal_) out_ << "\r\x1b[K" << std::flush;
  }

 private:
  // Searches cost very different times: a guess, told in round minutes and only after a while.
  std::string left(const eval::Progress& progress, Clock::time_point now) const {
    const auto spent = now - started_;
    if (spent < std::chrono::seconds(10) || progress.done == 0) return "";
    const auto all = spent * progress.total / progress.done;
    const auto minutes = std::chrono::ceil<std::chrono::minutes>(all - spent).count();
    return fmt::format(", about {} min left", minutes);
  }

  bool on_terminal_;
  std::ostream& out_;
  std::string step_;
  std::vector<std::string> told_;
  Clock::time_point started_ = Clock::now();
  Clock::time_point shown_;
};

}  // namespace

config::Secret api_key_of_process() {
  const char* key = std::getenv("QDRANT_API_KEY");
  return config::Secret(key == nullptr ? "" : key);
}

ExitCode eval(const EvalCommand& command, config::Secret api_key, bool on_terminal, std::ostream& out,
              std::ostream& problems) {
  const auto ended = [&](ExitCode code, const std::string& why) {
    problems << "qrerank eval: " << why << "\n";
    return code;
  };
  if (const auto wrong = eval::wrong_with_url(command.url); !wrong.empty())
    return ended(kBadUsage, "--url " + wrong);
  const auto key = key_of(command, std::move(api_key), problems);
  if (!key) return ended(kBadUsage, key.error());
  const auto set = eval::read_queries(source_of(command));
  if (!set) return ended(kBadUsage, set.error());

  const auto plan = plan_of(command);
  eval::ProxyClient client(command.url, *key);
  ProgressLine line(on_terminal, problems);
  const eval::Experiment::Tell tell = [&](const eval::Progress& progress) { line.show(progress); };
  const auto measured = eval::Experiment(plan, *set, client, tell).run();
  line.clear();
  if (!measured) return ended(kFailed, measured.error());

  auto report = eval::analyse(plan, *set, *measured, command.seed);
  report.queries_from = command.queries;
  const auto advice = eval::recommend(report, command.most_added_ms);
  out << eval::print_text(report, advice) << std::flush;
  for (const auto& [file, print] :
       {std::pair(command.json, &eval::print_json), std::pair(command.html, &eval::print_html)}) {
    if (!file) continue;
    const auto written = write_file(*file, print(report, advice));
    if (!written) return ended(kFailed, written.error());
  }
  return out ? kOk : ended(kFailed, "standard output cannot be written");
}

}  // namespace qrerank::proxy::cli
