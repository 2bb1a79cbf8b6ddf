#include "proxy/cli/bench.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <fstream>
#include <memory>
#include <mutex>
#include <ostream>
#include <span>
#include <utility>
#include <vector>

#include "proxy/cli/asking.hpp"
#include "proxy/cli/bench_texts.hpp"
#include "proxy/eval/statistics.hpp"
#include "proxy/observe/json_text.hpp"

namespace qrerank::proxy::cli {
namespace {

using reranker::Clock;
using Milliseconds = std::chrono::duration<double, std::milli>;

constexpr std::size_t kFewestRounds = 3;

// Searches of one kind, several under way at once, each replaced when it is answered.
class Searches {
 public:
  Searches(reranker::Scorer& scorer, const std::function<reranker::ScoreRequest(std::size_t)>& make)
      : scorer_(scorer), make_(make) {}

  struct Measured {
    std::vector<double> milliseconds;  // of each search, from submit to scores
    std::size_t tokens = 0;
    double seconds = 0;  // from the first submit to the last answer
  };

  // At least `rounds` searches for each of those at once, and as many as `seconds` allows.
  tl::expected<Measured, reranker::ScoreError> run(std::size_t at_once, std::size_t rounds, double seconds) {
    const auto begin = Clock::now();
    const auto time_is_up = [&] {
      return std::chrono::duration<double>(Clock::now() - begin).count() >= seconds;
    };
    Measured measured;
    std::vector<Pending> pending(at_once);
    for (std::size_t place = 0; place < at_once; ++place) pending[place] = submit(place);
    for (std::size_t under_way = at_once; under_way > 0;) {
      auto answer = next_answer();
      --under_way;
      auto& search = pending[answer.place];
      if (!answer.result) return tl::unexpected(answer.result.error());
      measured.milliseconds.push_back(Milliseconds(answer.when - search.begun).count());
      measured.tokens += answer.result->tokens;
      const auto begun = measured.milliseconds.size() + under_way;
      if (begun >= at_once * rounds && time_is_up()) continue;
      search = submit(answer.place);
      ++under_way;
    }
    measured.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    return measured;
  }

 private:
  struct Pending {
    Clock::time_point begun;
    reranker::ScoreTicket ticket;
  };
  struct Answer {
    std::size_t place;
    reranker::ScoreResult result;
    Clock::time_point when;
  };
  // Outlives this object where an error ends the run while searches are under way.
  struct Answers {
    std::mutex mutex;
    std::condition_variable there;
    std::vector<Answer> waiting;
  };

  Pending submit(std::size_t place) {
    auto request = make_(number_++);
    const auto begun = Clock::now();
    auto ticket =
        scorer_.submit(std::move(request), [answers = answers_, place](reranker::ScoreResult result) {
          const std::scoped_lock lock(answers->mutex);
          answers->waiting.push_back({place, std::move(result), Clock::now()});
          answers->there.notify_one();
        });
    return {begun, std::move(ticket)};
  }

  Answer next_answer() {
    std::unique_lock lock(answers_->mutex);
    answers_->there.wait(lock, [&] { return !answers_->waiting.empty(); });
    auto answer = std::move(answers_->waiting.back());
    answers_->waiting.pop_back();
    return answer;
  }

  reranker::Scorer& scorer_;
  const std::function<reranker::ScoreRequest(std::size_t)>& make_;
  std::size_t number_ = 0;
  std::shared_ptr<Answers> answers_ = std::make_shared<Answers>();
};

struct Row {
  std::size_t at_once = 0;
  std::size_t candidates = 0;
  std::size_t searches = 0;
  double tokens = 0;  // of a search, in the mean
  double p50 = 0;     // milliseconds
  double p95 = 0;
  double searches_per_second = 0;
  double tokens_per_second = 0;
};

Row row_of(std::size_t at_once, std::size_t candidates, const Searches::Measured& measured) {
  const auto searches = measured.milliseconds.size();
  const auto count = static_cast<double>(searches);
  const auto tokens = static_cast<double>(measured.tokens);
  return {.at_once = at_once,
          .candidates = candidates,
          .searches = searches,
          .tokens = tokens / count,
          .p50 = eval::percentile(measured.milliseconds, 0.5),
          .p95 = eval::percentile(measured.milliseconds, 0.95),
          .searches_per_second = count / measured.seconds,
          .tokens_per_second = tokens / measured.seconds};
}

std::string printed(const Row& row, bool as_json) {
  if (!as_json)
    return fmt::format("{:>7}  {:>10}  {:>8}  {:>6.0f}  {:>8.1f}  {:>8.1f}  {:>10.2f}  {:>8.0f}\n",
                       row.at_once, row.candidates, row.searches, row.tokens, row.p50, row.p95,
                       row.searches_per_second, row.tokens_per_second);
  return fmt::format(
      "{{\"at_once\":{},\"candidates\":{},\"searches\":{},\"tokens\":{},\"p50_ms\":{},\"p95_ms\":{},"
      "\"searches_per_second\":{},\"tokens_per_second\":{}}}\n",
      row.at_once, row.candidates, row.searches, row.tokens, row.p50, row.p95, row.searches_per_second,
      row.tokens_per_second);
}

std::string heading(const reranker::Scorer& scorer, const std::string& model, double load_seconds,
                    const BenchTexts& texts, bool as_json) {
  const auto all = scorer.status();
  const auto status = std::ranges::find(all, model, &reranker::ModelStatus::name);
  if (as_json)
    return fmt::format(
        "{{\"model\":{},\"family\":{},\"dtype\":{},\"device\":{},\"bytes\":{},\"load_seconds\":{},\"texts\":{"
        "}}}\n",
        observe::json_string(model), observe::json_string(status->family),
        observe::json_string(status->dtype), observe::json_string(status->device), status->bytes,
        load_seconds, observe::json_string(texts.described()));
  return fmt::format(
      "{}: {}{}{}{}{}, {:.0f} MiB of weights, ready after {:.1f} s\ntexts: {}\n\n"
      "at once  candidates  searches  tokens    p50 ms    p95 ms  searches/s  tokens/s\n",
      model, status->family, status->dtype.empty() ? "" : ", ", status->dtype,
      status->device.empty() ? "" : " on ", status->device, static_cast<double>(status->bytes) / (1u << 20),
      load_seconds, texts.described());
}

tl::expected<BenchTexts, std::string> texts_of(const BenchCommand& command, const config::Config& config) {
  if (command.texts.empty()) return BenchTexts::made_up(command.words);
  std::ifstream file(command.texts);
  if (!file) return tl::unexpected("--texts " + command.texts + " cannot be read");
  auto texts = BenchTexts::lines(file, config.scoring.max_text_chars);
  if (!texts) return tl::unexpected("--texts " + command.texts + ": " + texts.error());
  const auto wanted = std::ranges::max(command.candidates);
  if (wanted > texts->most())
    return tl::unexpected(
        fmt::format("--candidates {}: {} has {}", wanted, command.texts, texts->described()));
  return texts;
}

}  // namespace

ExitCode bench(const BenchCommand& command, const config::Config& config, reranker::Scorer& scorer,
               std::ostream& out, std::ostream& problems) {
  const auto ended = [&](ExitCode code, std::string_view why) {
    problems << "qrerank bench: " << why << "\n";
    return code;
  };
  const auto& model = command.model.empty() ? config.rerank.default_model : command.model;
  if (const auto problem = model_problem(scorer, model); !problem.empty()) return ended(kBadUsage, problem);
  const auto texts = texts_of(command, config);
  if (!texts) return ended(kBadUsage, texts.error());

  std::size_t candidates = 1;
  const auto make = [&](std::size_t search) {
    // Another query for each: what a model keeps of one must not serve the next.
    return reranker::ScoreRequest{
        .model = model,
        .instruction = "",
        .query = fmt::format("question {}: which of these describes it best?", search),
        .texts = texts->draw(candidates, search)};
  };
  const auto begin = Clock::now();
  if (const auto first = score(scorer, make(0)); !first) return ended(kFailed, told(model, first.error()));
  const auto load_seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  out << heading(scorer, model, load_seconds, *texts, command.json) << std::flush;

  const std::function<reranker::ScoreRequest(std::size_t)> next = make;
  Searches searches(scorer, next);
  for (const auto at_once : command.at_once) {
    for (const auto count : command.candidates) {
      candidates = count;
      if (const auto warm = searches.run(1, 1, 0); !warm) return ended(kFailed, told(model, warm.error()));
      const auto measured = searches.run(at_once, kFewestRounds, command.seconds);
      if (!measured) return ended(kFailed, told(model, measured.error()));
      out << printed(row_of(at_once, count, *measured), command.json) << std::flush;
      if (!out) return ended(kFailed, "standard output cannot be written");
    }
  }
  return kOk;
}

}  // namespace qrerank::proxy::cli
