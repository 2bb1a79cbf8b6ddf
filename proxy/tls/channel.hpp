// One TLS connection over a non-blocking socket, without an event loop: each step does what can be done now
// and says what it waits for. The coroutines that wait are proxy/http/wire_tls.cpp's.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "proxy/tls/context.hpp"

struct ssl_st;

namespace qrerank::proxy::tls {

class SessionSlot;

class Channel {
 public:
  enum class Wait { none, readable, writable };

  struct Progress {
    Wait wait = Wait::none;           ///< for what, before the same step is taken again
    boost::system::error_code error;  ///< asio::error::eof after close_notify only: see is_truncation
    std::size_t bytes = 0;            ///< read, or taken to be sent
  };

  /// `socket` is a connected, non-blocking descriptor; it stays the caller's and outlives the channel.
  [[nodiscard]] static std::unique_ptr<Channel> accept(ContextPtr context, int socket);
  /// `host` is what is connected to: a name, or an IP address without brackets; `sessions` may be null.
  [[nodiscard]] static std::unique_ptr<Channel> connect(ContextPtr context, int socket, std::string host,
                                                        SessionSlot* sessions);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  [[nodiscard]] Progress handshake();

  /// At least a byte, or an error, or a wait.
  [[nodiscard]] Progress read(char* to, std::size_t size);

  /// Takes some of `buffers`; with all of them taken and nothing to wait for, the kernel has it all.
  [[nodiscard]] Progress write(std::span<const boost::asio::const_buffer> buffers);

  /// close_notify: the other side learns that nothing was cut off. Reading goes on.
  [[nodiscard]] Progress end_sending();

  /// Is the peer silent and still there? (Session tickets and the like are no talk.)
  [[nodiscard]] bool quiet();

  /// Before the socket is closed: its number may soon be another connection's, and nothing of this one is
  /// read or sent by it any more.
  void socket_closed();

  /// After a failed handshake as the server: what came was plain HTTP.
  [[nodiscard]] bool met_plain_http() const;
  /// Why the handshake failed, in words: "certificate has expired". Empty when it did not.
  [[nodiscard]] const std::string& why() const { return why_; }
  [[nodiscard]] bool resumed() const;
  [[nodiscard]] std::chrono::milliseconds handshake_timeout() const { return context_->handshake_timeout(); }

 private:
  friend struct SocketBio;
  Channel(ContextPtr context, int socket);
  [[nodiscard]] Progress result_of(int returned);
  [[nodiscard]] Progress flush();
  void explain(const boost::system::error_code& error);

  struct Free {
    void operator()(ssl_st* connection) const;
  };

  ContextPtr context_;
  int socket_;
  std::string unsent_;  // encrypted, behind what the kernel took; empty except towards a slow reader
  boost::system::error_code read_error_;  // met behind bytes that were read; told at the next read
  std::string why_;
  int first_byte_ = -1;      // that the peer sent
  bool peer_ended_ = false;  // the socket is at its end
  bool dead_ = false;        // OpenSSL allows nothing more after a failure
  std::unique_ptr<ssl_st, Free> ssl_;
};

/// The connection ended without close_notify: the peer did not say that this was all.
[[nodiscard]] bool is_truncation(const boost::system::error_code& error);

}  // namespace qrerank::proxy::tls
