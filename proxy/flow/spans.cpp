#include "proxy/flow/spans.hpp"

#include <utility>

#include "proxy/route/endpoints.hpp"

namespace qrerank::proxy::flow {
namespace {

constexpr std::string_view kTraceparent = "traceparent";
constexpr unsigned kFirstServerError = 500;

}  // namespace

UpstreamSpan::UpstreamSpan(trace::RequestTrace* trace, upstream::Request& request) : trace_(trace) {
  if (trace == nullptr) return;
  span_ = trace->begin(trace::SpanKind::client, request.method);
  span_->tell("http.request.method", request.method);
  span_->tell("url.path", route::split_target(request.target).path);
  std::string sent = trace::format_traceparent(trace::RequestTrace::context_of(*span_));
  for (http::Field& field : request.fields) {
    if (http::iequals(field.name, kTraceparent)) field.value = std::move(sent);
  }
}

void UpstreamSpan::end(const upstream::ExchangeResult& result) {
  if (!span_) return;
  span_->end = trace::Clock::now();
  if (result) {
    span_->tell("http.response.status_code", static_cast<std::int64_t>(result->status));
    span_->tell("qrerank.upstream", result->upstream);
  } else {
    span_->tell("error.type", to_string(result.error().kind));
  }
  span_->failed = !result || result->status >= kFirstServerError;
  trace_->add(*std::move(span_));
}

void trace_scoring(const RequestRun& run, const SearchRun& search, trace::Clock::time_point started) {
  trace::RequestTrace* trace = run.request.trace;
  if (trace == nullptr) return;
  trace::Span whole = trace->begin(trace::SpanKind::internal, "rerank");
  whole.start = whole.end = started;
  // The stages follow one another; what they took is known once they are done.
  const std::pair<std::string_view, reranker::Microseconds> stages[] = {{"tokenize", search.scoring.tokenize},
                                                                        {"queue", search.scoring.queue},
                                                                        {"compute", search.scoring.compute}};
  for (const auto& [name, took] : stages) {
    trace::Span stage = trace->begin(trace::SpanKind::internal, name, whole.id);
    stage.start = whole.end;
    stage.end = whole.end += took;
    trace->add(std::move(stage));
  }
  whole.tell("qrerank.model", search.model);
  whole.tell("qrerank.candidates", static_cast<std::int64_t>(search.candidates));
  whole.tell("qrerank.cached", static_cast<std::int64_t>(search.cached));
  if (search.failed) whole.tell("qrerank.reason", label(*search.failed));
  whole.failed = search.failed.has_value();
  trace->add(std::move(whole));
}

void trace_embedding(const RequestRun& run, std::string_view model, std::size_t texts,
                     std::optional<Reason> failed, trace::Clock::time_point started) {
  trace::RequestTrace* trace = run.request.trace;
  if (trace == nullptr) return;
  trace::Span span = trace->begin(trace::SpanKind::internal, "embed");
  span.start = started;
  span.end = trace::Clock::now();
  span.tell("qrerank.model", model);
  span.tell("qrerank.texts", static_cast<std::int64_t>(texts));
  if (failed) span.tell("qrerank.reason", label(*failed));
  span.failed = failed.has_value();
  trace->add(std::move(span));
}

}  // namespace qrerank::proxy::flow
