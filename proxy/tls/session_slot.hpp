// The last TLS session of an upstream, offered to it at the next connect: then neither side signs anything.
#pragma once

#include <memory>

struct ssl_ctx_st;
struct ssl_st;
struct ssl_session_st;

namespace qrerank::proxy::tls {

class SessionSlot;

/// Once for each context of the client side: its connections give new sessions to their slots.
void remember_sessions(ssl_ctx_st* context);

/// Used on one thread; outlives the connections that were made with it.
class SessionSlot {
 public:
  /// `connection` has not begun its handshake. It offers what is kept, and leaves here what it is given.
  void attach(ssl_st* connection);

 private:
  friend void remember_sessions(ssl_ctx_st* context);
  static int keep(ssl_st* connection, ssl_session_st* session);

  struct Free {
    void operator()(ssl_session_st* session) const;
  };
  std::unique_ptr<ssl_session_st, Free> last_;
  ssl_ctx_st* from_ = nullptr;  // a session is of use to the context that it came from only; never followed
};

}  // namespace qrerank::proxy::tls
