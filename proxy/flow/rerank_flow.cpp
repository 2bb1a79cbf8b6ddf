#include "proxy/flow/rerank_flow.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "proxy/flow/events.hpp"
#include "proxy/flow/receive.hpp"
#include "proxy/flow/search_run.hpp"
#include "proxy/scoring/async_score.hpp"
#include "reranker/utf8.hpp"

namespace qrerank::proxy::flow {
namespace {

using Judged = tl::expected<std::vector<rewrite::Judged>, Reason>;

rewrite::Report failed_report(const SearchRun& run, Reason reason) {
  rewrite::Report report;
  report.model = run.model;
  report.reason = label(reason);
  report.spent = run.spent;
  return report;
}

reranker::ScoreRequest score_request(const SearchRun& run, const rewrite::CandidateSet& set,
                                     const std::vector<std::size_t>& scorable) {
  reranker::ScoreRequest request;
  request.model = run.model;
  request.instruction = config::instruction_text(*run.config, run.plan.options.instruction.value_or(""));
  request.query = run.plan.query_text;
  request.deadline = run.scoring_deadline();
  request.texts.reserve(scorable.size());
  for (const auto index : scorable) {
    const auto& text = set.candidates[index].text;
    request.texts.emplace_back(reranker::first_code_points(text, run.config->scoring.max_text_chars));
  }
  return request;
}

// What a scorer promises; one that breaks it must not cost the client its result.
bool are_scores(const std::vector<double>& logits, std::size_t count) {
  return logits.size() == count &&
         std::ranges::all_of(logits, [](double logit) { return std::isfinite(logit); });
}

// Score: the texts of the first candidates against the query.
http::Awaitable<Judged> judge(SearchRun& run, const rewrite::CandidateSet& set) {
  if (set.candidates.empty()) co_return tl::unexpected(Reason::no_candidates);
  const auto scorable = rewrite::scorable(set, run.plan.top_k);
  if (scorable.empty()) co_return tl::unexpected(Reason::no_text);
  auto request = score_request(run, set, scorable);
  auto scores = co_await scoring::score(*run.services.scorer, std::move(request));
  if (!scores) {
    run.spent.scoring = scores.error().timings;
    // A cancelled request is a client that went away: nobody is left to tell, and nothing failed.
    if (scores.error().failure != reranker::ScoreFailure::cancelled) report_score_error(run, scores.error());
    co_return tl::unexpected(reason_of(scores.error().failure));
  }
  run.spent.scoring = scores->timings;
  run.cached = scores->cached;
  if (!are_scores(scores->logits, scorable.size())) {
    report_score_error(run, {reranker::ScoreFailure::internal, "not one finite score for each text", {}});
    co_return tl::unexpected(Reason::internal);
  }
  co_return rewrite::judge(set, run.plan.top_k, scores->logits);
}

// The answer to the client's own request, with the report where it can be written into it.
Reply own_answer(const SearchRun& run, upstream::Response own, Reason reason) {
  const auto report = failed_report(run, reason);
  auto body = rewrite::annotate(own.body, report);
  return answer(own, report, body ? std::move(*body) : std::move(own.body), kFallback);
}

// The client's own request is sent as it came and its answer annotated.
http::Awaitable<Reply> ask_for_own(SearchRun& run, Reason reason) {
  auto own = co_await ask(run, std::move(run.plan.own_body));
  if (!own) co_return std::move(own.error());
  co_return own_answer(run, std::move(*own), reason);
}

// The answer to the widened request cannot be taken apart. It is the client's own where nothing was widened.
http::Awaitable<Reply> unreadable(SearchRun& run, upstream::Response response, rewrite::Unreadable what,
                                  bool widened) {
  report_unreadable_answer(run, what.why);
  report_fallback(run, Reason::internal);
  if (refuses(Reason::internal, run.on_error())) co_return refusal(Reason::internal, run.model);
  if (widened) {
    auto own = co_await ask_for_own(run, Reason::internal);
    co_return own;
  }
  response.body = std::move(what.body);
  co_return own_answer(run, std::move(response), Reason::internal);
}

// What the client's own request gives: cut from the candidates where that is the same thing, else asked for
// again.
http::Awaitable<Reply> fall_back(SearchRun& run, const upstream::Response& response,
                                 const rewrite::CandidateSet& set, Reason reason) {
  report_fallback(run, reason);
  if (refuses(reason, run.on_error())) co_return refusal(reason, run.model);
  if (run.plan.inner_widened) {
    auto own = co_await ask_for_own(run, reason);
    co_return own;
  }
  const auto page = rewrite::vector_page(set.candidates.size(), run.plan.offset, run.plan.limit);
  auto reread = co_await read_page_again(run, set, page);
  if (!reread) co_return std::move(reread.error());
  const auto* records = reread->has_value() ? &**reread : nullptr;
  const auto report = failed_report(run, reason);
  auto body = rewrite::compose_fallback(set, page, run.plan.projection, records, report);
  co_return answer(response, report, std::move(body), kFallback);
}

http::Awaitable<Reply> rerank(SearchRun& run) {
  const bool widened = run.plan.upstream_body != run.plan.own_body;
  auto response = co_await ask(run, std::move(run.plan.upstream_body));
  if (!response) co_return std::move(response.error());

  auto set = rewrite::extract(std::move(response->body), run.plan);
  if (!set) {
    auto own = co_await unreadable(run, std::move(*response), std::move(set.error()), widened);
    co_return own;
  }

  auto judged = co_await judge(run, *set);
  if (!judged) {
    auto own = co_await fall_back(run, *response, *set, judged.error());
    co_return own;
  }
  const auto page = rewrite::rank(*judged, rewrite::RankRule::of(run.plan));

  auto reread = co_await read_page_again(run, *set, page);
  if (!reread) co_return std::move(reread.error());

  rewrite::Report report;
  report.used = true;
  report.model = run.model;
  report.candidates = static_cast<std::size_t>(
      std::ranges::count_if(*judged, [](const rewrite::Judged& one) { return one.logit.has_value(); }));
  report.spent = run.spent;
  report_reranked(run, report);
  const auto* records = reread->has_value() ? &**reread : nullptr;
  auto body = rewrite::compose(*set, page, run.plan.projection, records, report);
  co_return answer(*response, report, std::move(body), kReranked);
}

}  // namespace

http::Awaitable<http::Outcome> rerank_flow(const Services& services,
                                           std::shared_ptr<const config::Config> config,
                                           route::SearchHead head, http::InspectedRequest request) {
  auto received = receive(head, request, *config);
  if (auto* settled = std::get_if<http::Outcome>(&received)) co_return std::move(*settled);

  auto plan = std::get<rewrite::SearchPlan>(std::move(received));
  auto model = plan.options.model.value_or(config->rerank.default_model);
  SearchRun run{services, std::move(config), request, std::move(plan), std::move(model), {}, 0};
  http::Outcome reply = co_await rerank(run);
  co_return reply;
}

}  // namespace qrerank::proxy::flow
