#include "proxy/flow/interceptor.hpp"

#include <memory>
#include <utility>

#include "proxy/flow/failure.hpp"
#include "proxy/flow/receive.hpp"
#include "proxy/flow/rerank_flow.hpp"
#include "proxy/route/decide.hpp"

namespace qrerank::proxy::flow {
namespace {

// A head that may be a search's, and the configuration that it was judged by.
struct SearchJudgement final : http::Judgement {
  SearchJudgement(std::shared_ptr<const config::Config> by, route::HeadJudgement what)
      : config(std::move(by)), head(std::move(what)) {}

  std::shared_ptr<const config::Config> config;
  route::HeadJudgement head;
};

}  // namespace

Interceptor::Interceptor(Services services) : services_(std::move(services)) {}

http::HeadVerdict Interceptor::judge(const http::RequestHead& head) {
  http::HeadVerdict verdict;
  auto matched = route::match(head.method, head.target);
  if (!matched) return verdict;
  verdict.endpoint = matched->row->path;

  auto config = services_.config();
  auto judged = route::judge_head(std::move(*matched), head.target, head.fields, *config);
  if (const auto* search = std::get_if<route::SearchHead>(&judged)) {
    verdict.headers_if_uninspected = uninspected_headers(*search);
  }
  // A refusal is answered by `handle`, once the body is out of the way, however that is coded.
  const bool bad_flag = std::holds_alternative<route::Refuse>(judged);
  if (!bad_flag && coding_of(head) == rewrite::ContentCoding::other) return verdict;
  verdict.action = http::HeadVerdict::Action::inspect;
  verdict.max_body = config->proxy.max_inspect_body;
  verdict.judgement = std::make_unique<SearchJudgement>(std::move(config), std::move(judged));
  return verdict;
}

http::Awaitable<http::Outcome> Interceptor::handle(http::InspectedRequest request) {
  auto& judgement = dynamic_cast<SearchJudgement&>(*request.judgement);
  if (const auto* refuse = std::get_if<route::Refuse>(&judgement.head)) {
    co_return http::Outcome(refused(refuse->message));
  }
  auto config = std::move(judgement.config);
  auto search = std::get<route::SearchHead>(std::move(judgement.head));
  auto outcome = co_await rerank_flow(services_, std::move(config), std::move(search), std::move(request));
  co_return outcome;
}

}  // namespace qrerank::proxy::flow
