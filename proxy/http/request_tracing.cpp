#include "proxy/http/request_tracing.hpp"

#include <algorithm>
#include <utility>

#include "proxy/http/forwarding.hpp"
#include "proxy/http/relay.hpp"

namespace qrerank::proxy::http {
namespace {

constexpr std::string_view kTraceparent = "traceparent";
constexpr std::string_view kTracestate = "tracestate";
constexpr unsigned kFirstServerError = 500;

}  // namespace

void RequestTracing::begin(RequestHead& head) {
  if (tracer_ == nullptr) return;
  const FieldView* field = head.find(kTraceparent);
  const auto given = std::ranges::count_if(
      head.fields, [](const FieldView& one) { return iequals(one.name, kTraceparent); });
  trace::Start start =
      tracer_->start(field == nullptr ? std::string_view() : field->value, static_cast<std::size_t>(given));
  trace_ = std::move(start.trace);
  if (!start.sent) return;
  if (start.anew || given == 0) {
    std::erase_if(head.fields, [](const FieldView& one) {
      return iequals(one.name, kTraceparent) || iequals(one.name, kTracestate);
    });
    head.fields.push_back({});
    field = &head.fields.back();
  }
  // The exchange with the upstream has a span of its own, known before it begins.
  sent_ = trace::new_span_id();
  const std::string value = trace::format_traceparent({start.sent->trace, sent_, start.sent->sampled});
  head.fields[static_cast<std::size_t>(field - head.fields.data())] = make_line(line_, kTraceparent, value);
  take_out_of_connection(head, kTraceparent, connection_);
}

void RequestTracing::relayed(std::string_view method, trace::Clock::time_point started,
                             const RelayResult& result) {
  if (trace_ == nullptr) return;
  trace::Span span = trace_->begin(trace::SpanKind::client, method);
  span.id = sent_;
  span.start = started;
  span.end = trace::Clock::now();
  span.tell("http.request.method", method);
  if (!result.upstream.empty()) span.tell("qrerank.upstream", result.upstream);
  if (result.status != 0) span.tell("http.response.status_code", static_cast<std::int64_t>(result.status));
  if (result.error) span.tell("error.type", to_string(result.error->kind));
  span.failed = result.error || result.status >= kFirstServerError;
  trace_->add(std::move(span));
}

void RequestTracing::end(const RequestRecord& record) {
  if (trace_ == nullptr) return;
  trace::Span& span = trace_->server();
  span.end = trace::Clock::now();
  span.start = span.end - record.duration;
  const std::string_view target = record.head.target;
  span.name = record.head.method;
  if (!record.endpoint.empty()) {
    const std::string route = "/collections/{collection_name}/points/" + std::string(record.endpoint);
    span.name += " " + route;
    span.tell("http.route", route);
  }
  span.tell("http.request.method", record.head.method);
  span.tell("url.path", target.substr(0, target.find('?')));
  span.tell("network.protocol.version", record.head.version < 11 ? "1.0" : "1.1");
  if (record.status != 0) span.tell("http.response.status_code", static_cast<std::int64_t>(record.status));
  span.tell("qrerank.request_id", record.id.text());
  if (!record.kind.empty()) span.tell("qrerank.outcome", record.kind);
  if (!record.told.model.empty()) span.tell("qrerank.model", record.told.model);
  if (!record.told.reason.empty()) span.tell("qrerank.reason", record.told.reason);
  span.failed = record.status == 0 || record.status >= kFirstServerError;
  if (record.status >= kFirstServerError) span.tell("error.type", std::to_string(record.status));
  if (record.status == 0) span.tell("error.type", "cancelled");
  trace_.reset();  // hands over
}

}  // namespace qrerank::proxy::http
