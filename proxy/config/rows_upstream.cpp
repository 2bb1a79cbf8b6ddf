// The rows of upstream.*: the Qdrant servers.
#include "proxy/config/rows.hpp"

namespace qrerank::proxy::config::rows {

using namespace std::chrono_literals;

namespace {

void add_upstream_tls(Keys& keys) {
  keys.push_back(file("upstream.tls", "ca", "The authorities that the upstream's certificate must come from.",
                      QRERANK_CONFIG(std::string, upstream.tls.ca), "the system's"));
  keys.push_back(defaulting_to(
      live(values::text(ValueType::text, "upstream.tls", "server_name", "a host name",
                        "The name asked for (SNI) and looked for in the upstream's certificate.",
                        QRERANK_CONFIG(std::string, upstream.tls.server_name))),
      "the host of `upstream.url`"));
  keys.push_back(
      live(values::boolean("upstream.tls", "verify",
                           "Whether the upstream must prove who it is; without, anybody between it "
                           "and us reads and changes everything.",
                           QRERANK_CONFIG(bool, upstream.tls.verify))));
  keys.push_back(
      file("upstream.tls", "certificate",
           "Our own certificate, for an upstream that asks for one, and those that lead to a root.",
           QRERANK_CONFIG(std::string, upstream.tls.certificate), "none"));
  keys.push_back(file("upstream.tls", "key", "The private key of our own certificate, not encrypted.",
                      QRERANK_CONFIG(std::string, upstream.tls.key), "none"));
  keys.push_back(min_version("upstream.tls", QRERANK_CONFIG(TlsVersion, upstream.tls.min_version)));
}

// Of several servers.
void add_nodes(Keys& keys) {
  keys.push_back(values::choice<Balance>(
      "upstream", "balance",
      "Which of several servers gets a request: each in turn, or the one with the fewest requests under way.",
      QRERANK_CONFIG(Balance, upstream.balance),
      {{"round_robin", Balance::round_robin}, {"least_outstanding", Balance::least_outstanding}}));
  keys.push_back(values::duration(
      "upstream", "health_interval",
      "Between two checks of a server, 0ms: none are made. A single server is only connected to, for the "
      "status pages, and always tried.",
      QRERANK_CONFIG(Milliseconds, upstream.health_interval), 0ms, 1h));
  keys.push_back(values::url_path(
      "upstream", "health_path", "What a check asks each of several servers for; an answer below 500 passes.",
      QRERANK_CONFIG(std::string, upstream.health_path)));
  keys.push_back(values::duration("upstream", "health_timeout", "A check that takes longer has failed.",
                                  QRERANK_CONFIG(Milliseconds, upstream.health_timeout), 1ms, 10min));
  keys.push_back(values::integer<std::uint32_t>(
      "upstream", "health_rise", "Passed checks in a row that bring a server back.",
      QRERANK_CONFIG(std::uint32_t, upstream.health_rise), 1, 1000));
  keys.push_back(values::integer<std::uint32_t>(
      "upstream", "health_fall", "Failed checks in a row that take a server out.",
      QRERANK_CONFIG(std::uint32_t, upstream.health_fall), 1, 1000));
  keys.push_back(values::integer<std::uint32_t>("upstream", "eject_failures",
                                                "Requests in a row that fail by a server's fault (refused, "
                                                "cut off, timed out, malformed) until it gets "
                                                "none for a while; 0: never.",
                                                QRERANK_CONFIG(std::uint32_t, upstream.eject_failures), 0,
                                                1'000'000));
  keys.push_back(values::duration("upstream", "eject_time",
                                  "How long it gets none the first time; each further time twice as long.",
                                  QRERANK_CONFIG(Milliseconds, upstream.eject_time), 1ms, 24h));
  keys.push_back(values::duration("upstream", "eject_time_max", "The longest that it gets none.",
                                  QRERANK_CONFIG(Milliseconds, upstream.eject_time_max), 1ms, 24h));
}

}  // namespace

void add_upstream(Keys& keys) {
  keys.push_back(values::url_list("upstream", "url", "The Qdrant server, or servers.",
                                  QRERANK_CONFIG(std::vector<UpstreamUrl>, upstream.urls)));
  keys.push_back(values::duration("upstream", "connect_timeout", "Name lookup and connect.",
                                  QRERANK_CONFIG(Milliseconds, upstream.connect_timeout), 1ms, 10min));
  keys.push_back(values::duration("upstream", "response_timeout",
                                  "From the last byte of a request to the header of its final response, and "
                                  "between two reads of the response's body.",
                                  QRERANK_CONFIG(Milliseconds, upstream.response_timeout), 1ms, 24h));
  keys.push_back(values::duration(
      "upstream", "keep_alive_timeout",
      "An idle connection older than this is not used again; below the 5 s after which Qdrant closes it.",
      QRERANK_CONFIG(Milliseconds, upstream.keep_alive_timeout), 0ms, 1h));
  keys.push_back(values::duration(
      "upstream", "keep_alive_time",
      "A connection older than this is closed after the request that it carries; 0ms: no such limit.",
      QRERANK_CONFIG(Milliseconds, upstream.keep_alive_time), 0ms, 24h));
  keys.push_back(values::integer<std::uint32_t>(
      "upstream", "keep_alive_requests",
      "A connection that has carried so many requests is closed; 0: no such limit.",
      QRERANK_CONFIG(std::uint32_t, upstream.keep_alive_requests), 0, 1'000'000'000));
  keys.push_back(values::duration(
      "upstream", "resolve_interval",
      "How long the addresses of a name are used before they are looked up again, in the background; the old "
      "ones stay when that fails.",
      QRERANK_CONFIG(Milliseconds, upstream.resolve_interval), 1ms, 24h));
  keys.push_back(values::integer<std::uint32_t>(
      "upstream", "max_idle_connections", "Idle connections kept, per I/O thread and server.",
      QRERANK_CONFIG(std::uint32_t, upstream.max_idle_connections), 0, 100'000));
  keys.push_back(values::size("upstream", "max_response_body",
                              "Longest answer held for reranking; over it the client's own streams, or 502.",
                              QRERANK_CONFIG(std::uint64_t, upstream.max_response_body), kKiB, 16 * kGiB));
  add_nodes(keys);
  add_upstream_tls(keys);
}

}  // namespace qrerank::proxy::config::rows
