#include "proxy/eval/experiment.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <ranges>
#include <thread>
#include <utility>

#include "proxy/http/target.hpp"

namespace qrerank::proxy::eval {
namespace {

using Clock = std::chrono::steady_clock;

// A model of some gigabytes takes this long to load from a slow disk.
constexpr std::chrono::seconds kPatience{180};
constexpr std::chrono::milliseconds kPause{500};
constexpr std::size_t kMaxTimedChars = 8'000;  // so that white space still fits under rerank.max_query_chars

bool is_final(const Answer& answer) {
  return answer.reranked || answer.reason == "no_text" || answer.reason == "no_candidates";
}

bool may_pass(long status) {
  return status == 429 || status == 502 || status == 503 || status == 504;
}

// White space that no query ended in before: the score cache does not know the text, tokenizers drop it or
// make a few tokens of it.
std::string with_unseen_end(const std::string& text) {
  static std::random_device random;
  std::string longer = text;
  for (auto bits = random(); longer.size() < text.size() + 24; bits >>= 1) {
    longer += (bits & 1) != 0 ? '\t' : ' ';
  }
  return longer;
}

// `count` places spread over 0 … all - 1.
std::vector<std::size_t> spread(std::size_t count, std::size_t all) {
  std::vector<std::size_t> places;
  for (std::size_t at = 0; at < std::min(count, all); ++at) places.push_back(at * all / std::min(count, all));
  return places;
}

}  // namespace

Experiment::Experiment(const Plan& plan, const QuerySet& queries, ProxyClient& client, const Tell& tell)
    : plan_(plan), queries_(queries), client_(client), tell_(tell) {
  const auto timed = std::min(plan.latency_queries, queries.queries.size());
  progress_.total =
      queries.queries.size() * (1 + plan.models.size() * plan.top_k.size() * plan.weights.size()) +
      timed * plan.models.size() * (1 + plan.top_k.size());
}

tl::expected<Measured, std::string> Experiment::run() {
  if (auto done = rank_by_vector(); !done) return tl::unexpected(done.error());
  if (plan_.latency_queries > 0) measured_.timings.push_back({});
  for (const auto& model : plan_.models) {
    if (auto done = rank_by_model(model); !done) return tl::unexpected(done.error());
    if (plan_.latency_queries == 0) continue;
    if (auto done = time_model(model); !done) return tl::unexpected(done.error());
  }
  return std::move(measured_);
}

Experiment::Done Experiment::rank_by_vector() {
  const std::size_t limit = std::max<std::size_t>(plan_.top_k.back(), kDepth);
  for (const auto& query : queries_.queries) {
    step("vector order");
    auto answer = ask(query, limit, std::nullopt, query.text);
    if (!answer) return tl::unexpected(answer.error());
    measured_.vector_order.push_back(std::move(answer->ranking));
  }
  return {};
}

// A query's settings follow each other, the most candidates first: its texts are scored once, the other
// settings find them in the score cache.
Experiment::Done Experiment::rank_by_model(const std::string& model) {
  const auto first = measured_.trials.size();
  for (const unsigned top_k : plan_.top_k) {
    for (const double weight : plan_.weights) measured_.trials.push_back({{model, top_k, weight}, {}, 0, 0});
  }
  const auto trials = std::span(measured_.trials).subspan(first);
  for (const auto& query : queries_.queries) {
    for (auto& trial : std::views::reverse(trials)) {
      step(fmt::format("{} order", model.empty() ? "reranked" : model));
      auto setting = trial.setting;
      setting.model = model;
      const std::size_t limit = std::max<std::size_t>(setting.top_k, kDepth);
      auto answer = ask(query, limit, setting, query.text);
      if (!answer) return tl::unexpected(answer.error());
      trial.rankings.push_back(std::move(answer->ranking));
      trial.candidates += answer->candidates;
      trial.not_reranked += !answer->reranked;
      if (!answer->model.empty()) trial.setting.model = answer->model;
    }
  }
  return {};
}

Experiment::Done Experiment::time_model(const std::string& model) {
  const auto name = measured_.trials.back().setting.model;
  const auto first = measured_.timings.size();
  for (const unsigned top_k : plan_.top_k) measured_.timings.push_back({name, top_k, {}, {}});
  const auto timings = std::span(measured_.timings).subspan(first);
  for (const auto place : spread(plan_.latency_queries, queries_.queries.size())) {
    const auto& query = queries_.queries[place];
    double wall_ms = 0;
    step("latency");
    if (auto plain = ask(query, kDepth, std::nullopt, query.text, &wall_ms); !plain)
      return tl::unexpected(plain.error());
    measured_.timings.front().wall_ms.push_back(wall_ms);
    for (auto& timing : timings) {
      step("latency");
      if (query.text.size() > kMaxTimedChars) continue;
      const auto answer =
          ask(query, kDepth, Setting{model, timing.top_k, 1}, with_unseen_end(query.text), &wall_ms);
      if (!answer) return tl::unexpected(answer.error());
      if (!answer->reranked) continue;
      timing.wall_ms.push_back(wall_ms);
      timing.reranking_ms.push_back(answer->reranking_ms);
    }
  }
  return {};
}

Experiment::Found Experiment::ask(const Query& query, std::size_t limit,
                                  const std::optional<Setting>& setting, const std::string& judged_text,
                                  double* wall_ms) {
  const auto path = "/collections/" + http::path_segment(plan_.target.collection) + "/points/query";
  const auto body = search_body(plan_.target, query, limit, setting, judged_text);
  const auto until = Clock::now() + kPatience;
  for (;;) {
    auto reply = client_.post(path, body);
    if (!reply) return tl::unexpected(reply.error());
    std::string why;
    if (reply->status == 200) {
      auto answer = read_answer(reply->body, plan_.target.id_field);
      if (!answer) return tl::unexpected("query " + query.id + ": " + answer.error());
      if (wall_ms != nullptr) *wall_ms = reply->wall_ms;
      if (!setting || is_final(*answer)) return answer;
      why = answer->reason.empty() ? "the answer does not say that it was reranked: is this qrerank?"
                                   : "not reranked: " + answer->reason;
      if (answer->reason.empty()) return tl::unexpected(why);
    } else {
      why = fmt::format("{}: {}", reply->status, read_error(reply->body));
      if (!may_pass(reply->status)) return tl::unexpected("query " + query.id + ": " + why);
    }
    if (Clock::now() > until) {
      return tl::unexpected(fmt::format("query {}: after {} s still {} (the proxy's log tells more)",
                                        query.id, kPatience.count(), why));
    }
    auto waiting = progress_;
    waiting.step += ", waiting: " + why;
    tell_(waiting);
    std::this_thread::sleep_for(kPause);
  }
}

void Experiment::step(std::string what) {
  progress_.step = std::move(what);
  tell_(progress_);
  ++progress_.done;
}

}  // namespace qrerank::proxy::eval
