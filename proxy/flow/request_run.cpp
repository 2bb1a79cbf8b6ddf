#include "proxy/flow/request_run.hpp"

#include <algorithm>
#include <utility>

#include "proxy/flow/upstream_request.hpp"
#include "proxy/rewrite/request_batch.hpp"

namespace qrerank::proxy::flow {
namespace {

rewrite::Report report_of(const SearchRun& search) {
  rewrite::Report report;
  report.used = !search.failed;
  report.model = search.model;
  if (search.failed) report.reason = label(*search.failed);
  report.candidates = search.candidates;
  report.spent = rewrite::Spent{.upstream = {}, .inference = std::nullopt, .scoring = search.scoring};
  return report;
}

rewrite::Report report_of(const rewrite::PassingSearch& search) {
  rewrite::Report report;
  if (search.no_query) report.reason = label(Reason::no_query);
  return report;
}

}  // namespace

bool SearchRun::refuses() const {
  return failed && flow::refuses(*failed, plan->options.on_error.value_or(reranker::OnError::fallback));
}

bool SearchRun::must_ask_again() const {
  // Widening never takes candidates away: where there is none now, the client's own result is empty too.
  return failed && plan->inner_widened && *failed != Reason::no_candidates;
}

RequestRun::RequestRun(const Services& all, std::shared_ptr<const config::Config> settings,
                       rewrite::SearchKind asked, http::InspectedRequest& inspected,
                       rewrite::RequestPlan planned)
    : services(all), config(std::move(settings)), kind(asked), request(inspected), plan(std::move(planned)) {
  for (std::size_t place = 0; place < plan.searches.size(); ++place) {
    const auto* search_plan = std::get_if<rewrite::SearchPlan>(&plan.searches[place]);
    if (search_plan == nullptr) continue;
    SearchRun& search = searches.emplace_back();
    search.place = place;
    search.plan = search_plan;
  }
}

reranker::Clock::time_point RequestRun::scoring_deadline(const SearchRun& search) const {
  const auto budget =
      std::chrono::milliseconds(search.plan->options.timeout_ms.value_or(reranker::kDefaultTimeoutMs));
  auto deadline = reranker::Clock::now() + budget;
  if (const auto own = own_timeout(request.head.target))
    deadline = std::min(deadline, request.received + *own);
  return deadline;
}

std::string RequestRun::own_body() const {
  std::vector<std::string_view> bodies;
  for (const auto& search : plan.searches) bodies.push_back(rewrite::own_body(search));
  return rewrite::own_request(plan.batch, bodies);
}

std::string RequestRun::for_upstream(std::string body) const {
  return rewrite::with_vectors(std::move(body), kind, plan.batch, vectors);
}

rewrite::Report RequestRun::report() const {
  std::vector<rewrite::Report> reports;
  auto reranked = searches.begin();
  for (const auto& search : plan.searches) {
    const auto* passing = std::get_if<rewrite::PassingSearch>(&search);
    reports.push_back(passing != nullptr ? report_of(*passing) : report_of(*reranked++));
  }
  auto all =
      plan.batch ? rewrite::batch_report(std::move(reports), upstream, wall) : std::move(reports.front());
  all.spent->upstream = upstream;
  all.spent->inference = inference;
  return all;
}

}  // namespace qrerank::proxy::flow
