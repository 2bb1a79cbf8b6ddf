// Where sessions meet the flow: judges each request's head, hands searches to rerank_flow.
#pragma once

#include "proxy/flow/services.hpp"
#include "proxy/http/interceptor.hpp"

namespace qrerank::proxy::flow {

class Interceptor : public http::Interceptor {
 public:
  explicit Interceptor(Services services);

  http::HeadVerdict judge(const http::RequestHead& head) override;
  http::Awaitable<http::Outcome> handle(http::InspectedRequest request) override;

 private:
  const Services services_;
};

}  // namespace qrerank::proxy::flow
