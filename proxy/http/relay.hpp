// One request streamed to the upstream and its response streamed back, both directions at once where the body
// is longer than what is buffered, in bounded memory. Decides nothing about searches; the session says what
// goes out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/config.hpp"
#include "proxy/http/body.hpp"
#include "proxy/http/wire.hpp"
#include "proxy/upstream/pool.hpp"
#include "proxy/upstream/response_head.hpp"

namespace qrerank::proxy::http {

/// What goes upstream, and what the client can take back.
struct RelayRequest {
  std::string_view head;    ///< as it goes upstream, with its empty line
  std::string_view held;    ///< body bytes that are here already, transfer coding removed; sent first
  BodyReader* rest;         ///< the body that still comes from the client
  bool chunked = false;     ///< the framing that `head` announces
  bool replayable = false;  ///< may be sent again on a new connection when a kept-alive one was stale
  bool to_head = false;     ///< HEAD: the response has no body
  bool upgrade = false;     ///< `head` asks for another protocol
  int client_version = 11;
  bool client_keep_alive = true;
  Deadline* limit = nullptr;                             ///< of the whole request; a tunnel takes it off
  const std::vector<Field>* response_headers = nullptr;  ///< added to the response; may be null
  std::string_view request_id = {};                      ///< told in the response's head; empty: it is not
};

enum class ClientFault : std::uint8_t { none, gone, timeout, malformed };

struct RelayResult {
  unsigned status = 0;               ///< of the final response whose head was sent to the client; 0: none was
  std::uint64_t response_bytes = 0;  ///< of its body, sent
  bool keep_alive = false;           ///< the client's connection can carry another request
  ClientFault fault = ClientFault::none;
  std::optional<upstream::UpstreamError> error;  ///< looked at when there is no fault
  std::string_view tunnel_cut = {};              ///< why both sides of a tunnel were reset; empty: they ended
  std::string_view upstream = {};                ///< the server that was asked last; empty: none was
};

class Relay {
 public:
  Relay(Wire& client, Buffer& client_buffer, upstream::Pool& pool, const config::Proxy& config,
        Deadlines& deadlines, const bool& draining)
      : client_(client),
        client_buffer_(client_buffer),
        pool_(pool),
        config_(config),
        draining_(draining),
        client_watch_(deadlines, [this] { look_at_client(); }) {}

  /// `request` and what it points to must outlive the coroutine.
  [[nodiscard]] Awaitable<RelayResult> run(const RelayRequest& request);

  /// Ends run() soon, with an error or a fault. The caller also cancels the client's wire.
  void abort();
  [[nodiscard]] bool aborted() const { return aborted_; }

 private:
  [[nodiscard]] Awaitable<void> attempt(upstream::Lease& lease, const RelayRequest& request);
  [[nodiscard]] Awaitable<void> upload(upstream::Connection& up, const RelayRequest& request);
  [[nodiscard]] Awaitable<void> send_body(upstream::Connection& up, const RelayRequest& request);
  [[nodiscard]] Awaitable<bool> send_piece(upstream::Connection& up, OutgoingBody& piece);
  [[nodiscard]] Awaitable<void> download(upstream::Connection& up, const RelayRequest& request);
  [[nodiscard]] Awaitable<void> receive(upstream::Connection& up, const RelayRequest& request);
  [[nodiscard]] Awaitable<void> stream_response(upstream::Connection& up, const RelayRequest& request,
                                                const ResponseHead& head,
                                                const upstream::ReceivedHead& received);
  [[nodiscard]] Awaitable<void> tunnel(upstream::Connection& up, const RelayRequest& request,
                                       const ResponseHead& head, std::size_t head_size);
  [[nodiscard]] Awaitable<bool> to_client(OutgoingBody& piece);

  void look_at_client();
  [[nodiscard]] bool note_outcome(const upstream::Connection& up);
  void fail(upstream::UpstreamError error);

  Wire& client_;
  Buffer& client_buffer_;
  upstream::Pool& pool_;
  const config::Proxy& config_;
  const bool& draining_;

  RelayResult result_;
  std::string out_head_;
  Clock::time_point response_until_{};  // moved when the request's last byte is sent
  bool uploaded_ = false;               // the whole request went out
  bool uploading_ = false;              // upload() still runs beside download()
  bool given_up_ = false;               // upload() ended so that no response is of use
  bool response_over_ = false;          // download() ended: the rest of the body is of no use
  bool clean_ = false;                  // the upstream connection can be kept
  bool aborted_ = false;
  upstream::Connection* up_ = nullptr;  // while it is used
  Deadline client_watch_;               // runs while the client's socket is neither read nor written
};

}  // namespace qrerank::proxy::http
