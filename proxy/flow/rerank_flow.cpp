#include "proxy/flow/rerank_flow.hpp"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "proxy/flow/choose_models.hpp"
#include "proxy/flow/embed_step.hpp"
#include "proxy/flow/events.hpp"
#include "proxy/flow/receive.hpp"
#include "proxy/flow/request_run.hpp"
#include "proxy/flow/score_step.hpp"
#include "proxy/flow/upstream_request.hpp"
#include "proxy/flow/upstream_steps.hpp"

namespace qrerank::proxy::flow {
namespace {

http::Reply answered(const RequestRun& run, const upstream::Response& upstream, const rewrite::Report& report,
                     std::string body) {
  http::Reply reply{
      upstream.status, upstream.reason, {}, std::move(body), report.used ? kReranked : kFallback};
  // Another qrerank behind us may have told its own.
  std::ranges::copy_if(upstream.fields, std::back_inserter(reply.fields), [](const http::Field& field) {
    return std::ranges::none_of(rewrite::kReportHeaders,
                                [&](std::string_view ours) { return http::iequals(field.name, ours); });
  });
  std::ranges::move(rewrite::report_headers(report), std::back_inserter(reply.fields));
  reply.told = {report.model, report.reason, report.candidates, run.server};
  return reply;
}

// The error of the first search that wants one instead of its own result.
std::optional<http::Reply> refusal_of(const RequestRun& run) {
  const auto refusing = std::ranges::find_if(run.searches, &SearchRun::refuses);
  if (refusing == run.searches.end()) return std::nullopt;
  auto reply = refusal(*refusing->failed, refusing->model);
  reply.told = {refusing->model, std::string(label(*refusing->failed)), 0, run.server};
  return reply;
}

void fail_all(RequestRun& run, Reason reason) {
  for (SearchRun& search : run.searches) search.failed = reason;
  report_fallbacks(run);
}

// Qdrant's answer cannot be taken apart. It is the client's own where nothing was widened, else that is asked
// for; the report is written into it if that can be done.
http::Awaitable<http::Outcome> answer_unread(RequestRun& run, upstream::Response response,
                                             rewrite::Unreadable what) {
  report_unreadable_answer(run, what.why);
  fail_all(run, Reason::internal);
  if (auto refused = refusal_of(run)) co_return std::move(*refused);
  response.body = std::move(what.body);
  if (run.plan.widened) {
    auto own = co_await ask(run, run.own_body());
    if (!own) co_return std::move(own.error().reply);
    response = std::move(*own);
  }
  const auto report = run.report();
  auto body = rewrite::annotate(response.body, report);
  co_return answered(run, response, report, body ? std::move(*body) : std::move(response.body));
}

// No answer to the widened request. One that was too large to hold may do without the widening, or in passing
// through: the client's own request goes on as a stream.
http::Outcome unanswered(RequestRun& run, NoAnswer failed) {
  if (!failed.too_large || run.searches.empty()) return std::move(failed.reply);
  fail_all(run, Reason::internal);
  if (refusal_of(run)) return std::move(failed.reply);
  report_too_large(run, failed.reply.failure);
  auto pass = own_request_passed(run.request.head, run.for_upstream(run.own_body()));
  rewrite::Report report;
  report.model = run.searches.front().model;
  report.reason = label(Reason::internal);
  std::ranges::move(rewrite::report_headers(report), std::back_inserter(pass.response_headers));
  return pass;
}

void reorder(RequestRun& run, const rewrite::Answer& answer) {
  for (SearchRun& search : run.searches) {
    const auto& set = answer.sets[search.place];
    search.page = search.failed ? rewrite::own_page(set, *search.plan)
                                : rewrite::reranked_page(set, search.judged, *search.plan);
  }
}

std::vector<rewrite::ResultPart> parts_of(const RequestRun& run, const rewrite::Answer& answer) {
  std::vector<rewrite::ResultPart> parts(answer.sets.size());
  for (std::size_t i = 0; i < parts.size(); ++i) {
    // Of those that are not to be reranked; the others follow.
    parts[i].as_it_is = answer.sets[i].whole;
  }
  for (const SearchRun& search : run.searches) {
    parts[search.place] = {.as_it_is = search.own_result,
                           .set = &answer.sets[search.place],
                           .page = &search.page,
                           .projection = &search.plan->projection,
                           .reread = search.reread ? &*search.reread : nullptr,
                           .mode = search.failed ? rewrite::ScoreMode::own : rewrite::ScoreMode::reranked};
  }
  return parts;
}

http::Awaitable<http::Outcome> rerank(RequestRun& run) {
  auto response = co_await ask(run, std::move(run.plan.upstream_body), run.request.share);
  if (!response) co_return unanswered(run, std::move(response.error()));

  auto answer = rewrite::extract(std::move(response->body), run.plan);
  if (!answer) {
    auto own = co_await answer_unread(run, std::move(*response), std::move(answer.error()));
    co_return own;
  }

  co_await score_candidates(run, *answer);
  report_fallbacks(run);
  if (auto refused = refusal_of(run)) co_return std::move(*refused);
  auto asked = co_await ask_again(run);
  if (!asked) co_return std::move(asked.error().reply);

  reorder(run, *answer);
  auto read = co_await read_pages_again(run, *answer);
  if (!read) co_return std::move(read.error().reply);

  report_reranked(run);
  const auto report = run.report();
  auto body = rewrite::compose(*answer, parts_of(run, *answer), report);
  co_return answered(run, *response, report, std::move(body));
}

}  // namespace

http::Awaitable<http::Outcome> rerank_flow(const Services& services,
                                           std::shared_ptr<const config::Config> config,
                                           route::SearchHead head, http::InspectedRequest request) {
  auto received = receive(head, request, *config);
  if (auto* settled = std::get_if<http::Outcome>(&received)) co_return std::move(*settled);

  auto plan = std::get<rewrite::RequestPlan>(std::move(received));
  RequestRun run(services, std::move(config), head.match.row->kind, request, std::move(plan));
  co_await choose_models(run, head.match.collection);
  auto without_vectors = co_await embed_documents(run);
  if (without_vectors) co_return *std::move(without_vectors);
  auto outcome = co_await rerank(run);
  co_return outcome;
}

}  // namespace qrerank::proxy::flow
