// The rows of proxy.*: the listener that clients see.
#include "proxy/config/rows.hpp"

namespace qrerank::proxy::config::rows {

using namespace std::chrono_literals;

namespace {

void add_listener_tls(Keys& keys) {
  keys.push_back(file("proxy.tls", "certificate",
                      "Our certificate, and behind it those that lead to a root; with it the listener speaks "
                      "HTTPS. The files are read again at each reload.",
                      QRERANK_CONFIG(std::string, proxy.tls.certificate), "none: plain HTTP"));
  keys.push_back(file("proxy.tls", "key", "The certificate's private key, not encrypted.",
                      QRERANK_CONFIG(std::string, proxy.tls.key), "none"));
  keys.push_back(live(values::choice<ClientCertificates>(
      "proxy.tls", "client_certificates",
      "Whether clients show a certificate of their own: `optional` lets those without one in, too.",
      QRERANK_CONFIG(ClientCertificates, proxy.tls.client_certificates),
      {{"off", ClientCertificates::off},
       {"optional", ClientCertificates::optional},
       {"required", ClientCertificates::required}})));
  keys.push_back(file("proxy.tls", "client_ca", "The authorities that clients' certificates must come from.",
                      QRERANK_CONFIG(std::string, proxy.tls.client_ca), "none"));
  keys.push_back(min_version("proxy.tls", QRERANK_CONFIG(TlsVersion, proxy.tls.min_version)));
  keys.push_back(live(
      values::duration("proxy.tls", "handshake_timeout", "From the connection to the end of its handshake.",
                       QRERANK_CONFIG(Milliseconds, proxy.tls.handshake_timeout), 10ms, 10min)));
}

}  // namespace

void add_proxy(Keys& keys) {
  keys.push_back(values::endpoint("proxy", "listen",
                                  "Where clients connect; it speaks what Qdrant's REST API speaks.",
                                  QRERANK_CONFIG(Endpoint, proxy.listen)));
  keys.push_back(values::integer<int>("proxy", "io_threads",
                                      "Threads that move bytes; 0 takes the machine's cores, at most 4.",
                                      QRERANK_CONFIG(int, proxy.io_threads), 0, 256));
  keys.push_back(values::duration("proxy", "header_timeout",
                                  "From the first byte of a request to the end of its header.",
                                  QRERANK_CONFIG(Milliseconds, proxy.header_timeout), 10ms, 10min));
  keys.push_back(values::duration("proxy", "idle_timeout",
                                  "How long a keep-alive connection may stay without a request.",
                                  QRERANK_CONFIG(Milliseconds, proxy.idle_timeout), 10ms, 1h));
  keys.push_back(values::duration("proxy", "body_timeout",
                                  "Between two reads of a body, and between two writes to a slow reader.",
                                  QRERANK_CONFIG(Milliseconds, proxy.body_timeout), 10ms, 1h));
  keys.push_back(
      values::duration("proxy", "drain_timeout",
                       "How long running requests may take to finish once the program is told to stop.",
                       QRERANK_CONFIG(Milliseconds, proxy.drain_timeout), 0ms, 1h));
  keys.push_back(values::size("proxy", "max_header_bytes",
                              "Request line and headers together; a longer one is answered with 431.",
                              QRERANK_CONFIG(std::uint64_t, proxy.max_header_bytes), kKiB, kMiB));
  keys.push_back(live(values::size("proxy", "max_inspect_body",
                                   "A search whose body is longer streams through without being looked at.",
                                   QRERANK_CONFIG(std::uint64_t, proxy.max_inspect_body), kKiB, kGiB)));
  keys.push_back(values::integer<std::uint32_t>(
      "proxy", "max_connections", "Client connections at a time; further ones wait in the kernel's queue.",
      QRERANK_CONFIG(std::uint32_t, proxy.max_connections), 1, 1'000'000));
  keys.push_back(values::integer<std::uint32_t>(
      "proxy", "max_headers", "Header fields of a request; one with more is answered with 431.",
      QRERANK_CONFIG(std::uint32_t, proxy.max_headers), 1, 10'000));
  keys.push_back(values::integer<std::uint32_t>(
      "proxy", "max_connections_per_address",
      "Client connections of one address (IPv6: of one /64); a further one gets 503. 0: no such limit.",
      QRERANK_CONFIG(std::uint32_t, proxy.max_connections_per_address), 0, 1'000'000));
  keys.push_back(
      values::size("proxy", "max_inspect_memory",
                   "Bodies of searches and Qdrant's answers to them held at a time, together; while "
                   "it is used up a search streams through without being looked at, or in "
                   "Qdrant's order where its answer finds no room.",
                   QRERANK_CONFIG(std::uint64_t, proxy.max_inspect_memory), kKiB, 1024 * kGiB));
  keys.push_back(values::duration("proxy", "request_timeout",
                                  "From the end of a request's header to the end of its answer, tunnels "
                                  "aside; 0ms: no such limit.",
                                  QRERANK_CONFIG(Milliseconds, proxy.request_timeout), 0ms, 24h));
  keys.push_back(values::boolean("proxy", "via", "Add `Via` to requests and to relayed responses.",
                                 QRERANK_CONFIG(bool, proxy.via)));
  keys.push_back(values::boolean(
      "proxy", "request_id",
      "Every request goes up with an `x-request-id` and comes back with it: the client's own, or one that is "
      "made here where it sent none that is sane. Log lines carry it in any case.",
      QRERANK_CONFIG(bool, proxy.request_id)));
  keys.push_back(values::choice<XForwarded>(
      "proxy", "x_forwarded",
      "Whether requests get `X-Forwarded-For`, `-Proto` and `-Host`; `replace` drops those that came.",
      QRERANK_CONFIG(XForwarded, proxy.x_forwarded),
      {{"off", XForwarded::off}, {"append", XForwarded::append}, {"replace", XForwarded::replace}}));
  add_listener_tls(keys);
}

}  // namespace qrerank::proxy::config::rows
