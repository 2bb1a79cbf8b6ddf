// What the listener and its sessions tell about themselves; logs and metrics are made of it elsewhere.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "proxy/http/message.hpp"
#include "proxy/http/request_id.hpp"

namespace qrerank::proxy::http {

/// One request as it ended, for logs and metrics.
struct RequestRecord {
  const RequestHead& head;
  const RequestId& id;
  const Told& told;                ///< of an answer that the interceptor gave
  std::string_view endpoint = {};  ///< HeadVerdict::endpoint
  unsigned status = 0;             ///< sent to the client; 0: none (the client was gone)
  bool inspected = false;
  std::uint64_t response_bytes = 0;  ///< body bytes sent to the client
  std::chrono::steady_clock::duration duration{};
  /// Why it failed, in our words; empty when nothing did.
  std::string_view failure = {};
  /// Reply::kind of an answer that the interceptor gave.
  std::string_view kind = {};
  std::string_view client = {};    ///< its address, without the port
  std::string_view upstream = {};  ///< the server that was asked, as configured; empty: none was
  std::string_view trace = {};     ///< 32 digits, of a request that is traced
};

/// What a client can run into, by the setting that says how far it may go.
enum class Limit : std::uint8_t {
  max_connections,              ///< accepted ones wait
  max_connections_per_address,  ///< 503 and closed
  handshake_timeout,            ///< closed
  header_timeout,               ///< 408
  max_header_bytes,             ///< 431
  max_headers,                  ///< 431
  body_timeout,                 ///< 408, or closed in the middle of an answer
  request_timeout,              ///< 408 or 504
  max_inspect_body,             ///< a search streams through
  max_inspect_memory            ///< a search streams through
};
inline constexpr std::size_t kLimits = static_cast<std::size_t>(Limit::max_inspect_memory) + 1;
/// "proxy.header_timeout", …
[[nodiscard]] std::string_view setting_of(Limit limit);

/// Told about each finished request on its I/O thread. Must be quick and must not throw.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void request_finished(const RequestRecord& record) = 0;
  virtual void limit_tripped(Limit /*limit*/) {}
  virtual void connection_opened() {}
  virtual void connection_closed() {}
  /// A client's TLS handshake came to nothing; `why` in words, from us or OpenSSL.
  virtual void handshake_failed(std::string_view /*why*/) {}
  /// One was answered with 503 and closed, for its address had its share (proxy.max_connections_per_address).
  virtual void connection_turned_away() {}
  /// No connection can be accepted for now (no descriptors, no memory); told once until one is again.
  virtual void accept_failed(std::string_view /*why*/) {}
  /// A bug of ours ended a connection: what the exception said.
  virtual void connection_failed(std::string_view /*what*/) {}
};

}  // namespace qrerank::proxy::http
