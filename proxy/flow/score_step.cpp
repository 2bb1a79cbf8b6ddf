#include "proxy/flow/score_step.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "proxy/flow/events.hpp"
#include "proxy/flow/spans.hpp"
#include "proxy/scoring/async_score.hpp"
#include "reranker/utf8.hpp"

namespace qrerank::proxy::flow {
namespace {

reranker::ScoreRequest score_request(const RequestRun& run, const SearchRun& search,
                                     const rewrite::CandidateSet& set,
                                     const std::vector<std::size_t>& scorable) {
  reranker::ScoreRequest request;
  request.model = search.model;
  request.instruction = config::instruction_text(*run.config, search.plan->options.instruction.value_or(""));
  request.query = search.plan->query_text;
  request.deadline = run.scoring_deadline(search);
  request.texts.reserve(scorable.size());
  for (const auto index : scorable) {
    request.texts.emplace_back(
        reranker::first_code_points(set.candidates[index].text, run.config->scoring.max_text_chars));
  }
  return request;
}

// What a scorer promises; one that breaks it must not cost the client its result.
bool are_scores(const std::vector<double>& logits, std::size_t count) {
  return logits.size() == count &&
         std::ranges::all_of(logits, [](double logit) { return std::isfinite(logit); });
}

void take_result(const RequestRun& run, SearchRun& search, const rewrite::CandidateSet& set,
                 const reranker::ScoreResult& result) {
  if (!result) {
    search.scoring = result.error().timings;
    search.failed = reason_of(result.error().failure);
    // A cancelled request is a client that went away: nobody is left to tell, and nothing failed.
    if (result.error().failure != reranker::ScoreFailure::cancelled)
      report_score_error(run, search, result.error());
    return;
  }
  search.scoring = result->timings;
  if (!are_scores(result->logits, rewrite::scorable(set, search.plan->top_k).size())) {
    search.failed = Reason::internal;
    report_score_error(run, search,
                       {reranker::ScoreFailure::internal, "not one finite score for each text", {}});
    return;
  }
  search.cached = result->cached;
  search.candidates = result->logits.size();
  search.judged = rewrite::judge(set, search.plan->top_k, result->logits);
}

}  // namespace

http::Awaitable<void> score_candidates(RequestRun& run, const rewrite::Answer& answer) {
  std::vector<SearchRun*> asking;
  std::vector<reranker::ScoreRequest> requests;
  for (SearchRun& search : run.searches) {
    const auto& set = answer.sets[search.place];
    if (!set.object_path.empty()) report_object_as_text(run, set.object_path);
    const auto scorable = rewrite::scorable(set, search.plan->top_k);
    if (scorable.empty()) {
      search.failed = set.candidates.empty() ? Reason::no_candidates : Reason::no_text;
      continue;
    }
    asking.push_back(&search);
    requests.push_back(score_request(run, search, set, scorable));
  }
  const auto started = reranker::Clock::now();
  const auto results = co_await scoring::score(*run.services.scorer, std::move(requests));
  run.wall = std::chrono::duration_cast<reranker::Microseconds>(reranker::Clock::now() - started);
  for (std::size_t i = 0; i < asking.size(); ++i) {
    take_result(run, *asking[i], answer.sets[asking[i]->place], results[i]);
    trace_scoring(run, *asking[i], started);
  }
}

}  // namespace qrerank::proxy::flow
