#include "proxy/flow/receive.hpp"

#include <optional>
#include <string>
#include <utility>

#include "proxy/flow/failure.hpp"
#include "proxy/flow/upstream_request.hpp"
#include "proxy/rewrite/response.hpp"

namespace qrerank::proxy::flow {
namespace {

// As it came; a successful answer gets `response_headers`.
http::PassAsItCame as_it_came(http::InspectedRequest& request, std::vector<http::Field> response_headers) {
  http::PassAsItCame pass;
  pass.body = std::move(request.body);
  pass.response_headers = std::move(response_headers);
  return pass;
}

std::vector<http::Field> wish_headers(bool no_query) {
  rewrite::Report report;
  if (no_query) report.reason = label(Reason::no_query);
  return rewrite::report_headers(report);
}

// The plain body: the request's own, or inflated into `inflated`. None when it cannot be read.
std::optional<std::string_view> plain_body(const http::InspectedRequest& request, std::string& inflated,
                                           std::size_t max_bytes) {
  switch (coding_of(request.head)) {
    case rewrite::ContentCoding::identity:
      return request.body;
    case rewrite::ContentCoding::gzip: {
      auto plain = rewrite::inflate_gzip(request.body, max_bytes);
      if (!plain) return std::nullopt;
      inflated = std::move(*plain);
      return inflated;
    }
    case rewrite::ContentCoding::other:
      break;
  }
  return std::nullopt;
}

}  // namespace

rewrite::ContentCoding coding_of(const http::RequestHead& head) {
  std::string listed;
  for (const http::FieldView& field : head.fields) {
    if (http::iequals(field.name, "Content-Encoding"))
      listed.append(listed.empty() ? "" : ", ").append(field.value);
  }
  return rewrite::content_coding(listed);
}

std::vector<http::Field> uninspected_headers(const route::SearchHead& head) {
  return head.wish ? wish_headers(false) : std::vector<http::Field>();
}

Received receive(const route::SearchHead& head, http::InspectedRequest& request,
                 const config::Config& config) {
  std::string inflated;
  const auto plain = plain_body(request, inflated, config.proxy.max_inspect_body);
  if (!plain) return http::Outcome(as_it_came(request, uninspected_headers(head)));

  auto decision = route::decide(head, *plain, config);
  if (auto* plan = std::get_if<rewrite::RequestPlan>(&decision)) return std::move(*plan);
  if (auto* refuse = std::get_if<route::Refuse>(&decision)) return http::Outcome(refused(refuse->message));
  if (auto* stripped = std::get_if<route::PassStripped>(&decision)) {
    auto pass = own_request_passed(request.head, std::move(stripped->body));
    pass.response_headers = uninspected_headers(head);  // should Qdrant take it after all
    return http::Outcome(std::move(pass));
  }
  if (const auto* wish = std::get_if<route::PassWish>(&decision)) {
    return http::Outcome(as_it_came(request, wish_headers(wish->no_query)));
  }
  return http::Outcome(as_it_came(request, {}));
}

}  // namespace qrerank::proxy::flow
