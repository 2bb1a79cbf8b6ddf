#include "proxy/flow/interceptor.hpp"

#include <utility>

#include "proxy/flow/failure.hpp"
#include "proxy/flow/receive.hpp"
#include "proxy/flow/rerank_flow.hpp"
#include "proxy/rewrite/content_coding.hpp"
#include "proxy/route/decide.hpp"

namespace qrerank::proxy::flow {

Interceptor::Interceptor(Services services) : services_(std::move(services)) {}

http::HeadVerdict Interceptor::judge(const http::RequestHead& head) {
  http::HeadVerdict verdict;
  const auto config = services_.config();
  const auto judgement = route::judge_head(head.method, head.target, head.fields, *config);
  if (std::holds_alternative<route::Relay>(judgement)) return verdict;
  if (const auto* search = std::get_if<route::SearchHead>(&judgement)) {
    verdict.headers_if_uninspected = uninspected_headers(*search);
  }
  // A refusal is answered by `handle`, once the body is out of the way.
  const auto* coding = head.find("Content-Encoding");
  if (coding != nullptr && rewrite::content_coding(coding->value) == rewrite::ContentCoding::other)
    return verdict;
  verdict.action = http::HeadVerdict::Action::inspect;
  verdict.max_body = config->proxy.max_inspect_body;
  return verdict;
}

http::Awaitable<http::Outcome> Interceptor::handle(http::InspectedRequest request) {
  auto config = services_.config();
  auto judgement = route::judge_head(request.head.method, request.head.target, request.head.fields, *config);
  if (const auto* refuse = std::get_if<route::Refuse>(&judgement)) {
    co_return http::Outcome(refused(refuse->message));
  }
  if (auto* search = std::get_if<route::SearchHead>(&judgement)) {
    auto outcome = co_await rerank_flow(services_, std::move(config), std::move(*search), std::move(request));
    co_return outcome;
  }
  http::PassAsItCame pass;  // the configuration changed between judge and handle
  pass.body = std::move(request.body);
  co_return http::Outcome(std::move(pass));
}

}  // namespace qrerank::proxy::flow
