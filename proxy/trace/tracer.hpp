// Which requests are traced, and the spans of one that is. Where spans go is behind SpanSink.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "proxy/trace/span.hpp"

namespace qrerank::proxy::trace {

class SpanSink {
 public:
  virtual ~SpanSink() = default;
  /// Never waits. Thread-safe.
  virtual void take(std::vector<Span> spans) = 0;
};

/// The spans of one request, collected on its I/O thread and handed over together. The first one is the
/// request's own; the sink gets them when this ends.
class RequestTrace {
 public:
  RequestTrace(SpanSink& sink, const Context& own, SpanId parent);
  ~RequestTrace() { sink_.take(std::move(spans_)); }
  RequestTrace(const RequestTrace&) = delete;
  RequestTrace& operator=(const RequestTrace&) = delete;

  [[nodiscard]] const TraceId& id() const { return spans_.front().trace; }
  /// The request's own span; it begins now.
  [[nodiscard]] Span& server() { return spans_.front(); }
  /// A span below `parent` (0: below the request's own) that begins now. Give it back with add().
  [[nodiscard]] Span begin(SpanKind kind, std::string_view name, SpanId parent = 0) const;
  void add(Span span) { spans_.push_back(std::move(span)); }

  /// What a service gets that is asked within `span`.
  [[nodiscard]] static Context context_of(const Span& span) { return {span.trace, span.id, true}; }

 private:
  SpanSink& sink_;
  std::vector<Span> spans_;
};

/// What becomes of a request's trace.
struct Start {
  /// Sent on in `traceparent`; none: the header goes on as it came.
  std::optional<Context> sent;
  /// The client's own context was no good: its `tracestate` goes no further either.
  bool anew = false;
  std::unique_ptr<RequestTrace> trace;  ///< null: not recorded
};

/// Thread-safe.
class Tracer {
 public:
  /// `ratio`: the share of the traces that begin here that are recorded. Those that come in are recorded
  /// when their parent is.
  Tracer(double ratio, SpanSink& sink) : ratio_(ratio), sink_(sink) {}

  /// `traceparent`: the header's value; `given`: how often it came. Once is the only good number.
  [[nodiscard]] Start start(std::string_view traceparent, std::size_t given) const;

 private:
  const double ratio_;
  SpanSink& sink_;
};

}  // namespace qrerank::proxy::trace
