#include "proxy/tls/session_slot.hpp"

#include <openssl/ssl.h>

namespace qrerank::proxy::tls {
namespace {

int slot_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

}  // namespace

void SessionSlot::Free::operator()(ssl_session_st* session) const {
  SSL_SESSION_free(session);
}

// Returns 1: the reference to the session is ours now.
int SessionSlot::keep(ssl_st* connection, ssl_session_st* session) {
  auto* slot = static_cast<SessionSlot*>(SSL_get_ex_data(connection, slot_index()));
  if (slot == nullptr) return 0;
  slot->last_.reset(session);
  slot->from_ = SSL_get_SSL_CTX(connection);
  return 1;
}

void remember_sessions(ssl_ctx_st* context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, SessionSlot::keep);
}

void SessionSlot::attach(ssl_st* connection) {
  SSL_set_ex_data(connection, slot_index(), this);
  if (last_ && from_ != SSL_get_SSL_CTX(connection)) last_.reset();  // reloaded: other trust, other name
  if (last_) SSL_set_session(connection, last_.get());
}

}  // namespace qrerank::proxy::tls
