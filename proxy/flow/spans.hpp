// What a traced search adds to its trace: its questions to the upstream, the vectors of its Documents, and
// its scoring. Nothing where the request is not recorded.
#pragma once

#include <optional>

#include "proxy/flow/request_run.hpp"
#include "proxy/trace/tracer.hpp"
#include "proxy/upstream/client.hpp"

namespace qrerank::proxy::flow {

/// One exchange, from its construction to end(). The upstream is told of it where the request has a
/// `traceparent`.
class UpstreamSpan {
 public:
  /// `trace` may be null.
  UpstreamSpan(trace::RequestTrace* trace, upstream::Request& request);
  void end(const upstream::ExchangeResult& result);

 private:
  trace::RequestTrace* trace_;
  std::optional<trace::Span> span_;
};

/// The scoring of one search that began at `started`: `rerank` with `tokenize`, `queue` and `compute` below
/// it.
void trace_scoring(const RequestRun& run, const SearchRun& search, trace::Clock::time_point started);

/// The vectors of one model's Documents, asked for at `started`: `embed`. `failed`: why there are none.
void trace_embedding(const RequestRun& run, std::string_view model, std::size_t texts,
                     std::optional<Reason> failed, trace::Clock::time_point started);

}  // namespace qrerank::proxy::flow
