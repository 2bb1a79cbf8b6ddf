#include "proxy/observe/metrics/upstream.hpp"

#include <utility>

namespace qrerank::proxy::observe::metrics {

Upstream::Series& Upstream::series(const std::string& url) {
  const auto known = nodes_.find(url);
  if (known != nodes_.end()) return known->second;
  const Label of{"upstream", url};
  Series made{
      .up = registry_.gauge("qrerank_upstream_up", "1 while a server takes its share of the requests.", {of}),
      .outstanding =
          registry_.gauge("qrerank_upstream_outstanding_requests", "Requests under way on a server.", {of}),
      .connections = registry_.gauge("qrerank_upstream_connections",
                                     "Open connections to a server, the idle ones included.", {of}),
      .idle =
          registry_.gauge("qrerank_upstream_idle_connections",
                          "Connections to a server that wait for a request; the others are leased.", {of}),
      .opened = registry_.counter("qrerank_upstream_connections_opened_total",
                                  "Connections to a server that were made.", {of}),
      .reused = registry_.counter("qrerank_upstream_connections_reused_total",
                                  "Requests that found an idle connection to a server.", {of}),
      .sent_again = registry_.counter("qrerank_upstream_sent_again_total",
                                      "Requests sent a second time, for a server's kept-alive connection "
                                      "ended before a byte of the answer.",
                                      {of}),
      .failures = registry_.counter("qrerank_upstream_failures_total",
                                    "Requests that failed by a server's fault.", {of}),
      .ejections = registry_.counter("qrerank_upstream_ejections_total",
                                     "Times that a server was ejected for requests that failed.", {of}),
      .errors = {}};
  for (const auto& kind : errors_) {
    made.errors.push_back(registry_.counter("qrerank_upstream_errors_total",
                                            "What went wrong between qrerank and a server, by kind.",
                                            {of, {"kind", kind}}));
  }
  return nodes_.emplace(url, std::move(made)).first->second;
}

void Upstream::node(const Node& now) {
  const std::lock_guard hold(guard_);
  Series& its = series(now.url);
  its.up.set(now.up ? 1 : 0);
  its.outstanding.set(static_cast<double>(now.outstanding));
  its.connections.set(static_cast<double>(now.connections));
  its.idle.set(static_cast<double>(now.idle));
  its.opened.raise_to(static_cast<double>(now.opened));
  its.reused.raise_to(static_cast<double>(now.reused));
  its.sent_again.raise_to(static_cast<double>(now.sent_again));
  its.failures.raise_to(static_cast<double>(now.failures));
  its.ejections.raise_to(static_cast<double>(now.ejections));
  for (std::size_t kind = 0; kind < its.errors.size() && kind < now.errors.size(); ++kind)
    its.errors[kind].raise_to(static_cast<double>(now.errors[kind]));
}

}  // namespace qrerank::proxy::observe::metrics
