// One request's trace as its session keeps it: what `traceparent` becomes on the way up, the request's own
// span, and the span of an exchange that is relayed. Those of a search's steps are proxy/flow's.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "proxy/http/message.hpp"
#include "proxy/http/observer.hpp"
#include "proxy/trace/tracer.hpp"

namespace qrerank::proxy::http {

struct RelayResult;

class RequestTracing {
 public:
  /// Null: no tracing; heads are left alone.
  explicit RequestTracing(const trace::Tracer* tracer) : tracer_(tracer) {}

  /// Continues the client's trace or begins one: rewrites `head`, whose views may point into this until the
  /// next begin().
  void begin(RequestHead& head);
  /// Null: this request is not recorded.
  [[nodiscard]] trace::RequestTrace* spans() { return trace_.get(); }
  /// An exchange was relayed; it began at `started` and ends now.
  void relayed(std::string_view method, trace::Clock::time_point started, const RelayResult& result);
  /// The request ended: its spans are handed over.
  void end(const RequestRecord& record);

 private:
  const trace::Tracer* tracer_;
  std::unique_ptr<trace::RequestTrace> trace_;
  std::string line_;        // the field that is sent
  std::string connection_;  // a Connection field that named it away, without it
  trace::SpanId sent_ = 0;
};

}  // namespace qrerank::proxy::http
