#include "proxy/trace/tracer.hpp"

#include <utility>

namespace qrerank::proxy::trace {

RequestTrace::RequestTrace(SpanSink& sink, const Context& own, SpanId parent) : sink_(sink) {
  Span span;
  span.trace = own.trace;
  span.id = own.span;
  span.parent = parent;
  span.kind = SpanKind::server;
  // What a connection that is killed leaves; whoever sees the request's end knows better.
  span.name = "killed";
  span.failed = true;
  span.start = span.end = Clock::now();
  spans_.push_back(std::move(span));
}

Span RequestTrace::begin(SpanKind kind, std::string_view name, SpanId parent) const {
  const Span& own = spans_.front();
  Span span;
  span.trace = own.trace;
  span.id = new_span_id();
  span.parent = parent == 0 ? own.id : parent;
  span.kind = kind;
  span.name = name;
  span.start = Clock::now();
  return span;
}

Start Tracer::start(std::string_view traceparent, std::size_t given) const {
  const auto parent = given == 1 ? parse_traceparent(traceparent) : std::nullopt;
  Start begun;
  begun.anew = given > 0 && !parent;
  if (parent && !parent->sampled) return begun;  // nothing of ours to add: it goes on as it came
  Context own{parent ? parent->trace : new_trace_id(), new_span_id(), true};
  own.sampled = parent || is_sampled(own.trace, ratio_);
  if (own.sampled) begun.trace = std::make_unique<RequestTrace>(sink_, own, parent ? parent->span : 0);
  begun.sent = own;
  return begun;
}

}  // namespace qrerank::proxy::trace
