#include "proxy/tls/channel.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/error.hpp>
#include <cerrno>
#include <cstring>
#include <new>

#include "proxy/tls/session_slot.hpp"

namespace qrerank::proxy::tls {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::size_t kRecordBytes = 16 * 1024;  // of plain text, the most that a record may carry
constexpr std::size_t kBatchBytes = 64 * 1024;   // encrypted at a time, before the kernel is asked

// What one read from a socket may bring: four records. Held only while there is something in it. Not in the
// handshake, whose small allocations would lie between blocks of this size and keep their memory from being
// used again.
constexpr std::size_t kReadBytes = 4 * (kRecordBytes + 256);

error_code system_error(int number) {
  return {number, asio::error::get_system_category()};
}

// Encrypted bytes on their way out; what the kernel does not take at once moves to its channel.
std::string& outgoing() {
  thread_local std::string bytes;
  return bytes;
}

}  // namespace

// The channel's end of OpenSSL's BIO.
struct SocketBio {
  static int read(BIO* bio, char* to, int size) {
    auto& channel = *static_cast<Channel*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    ssize_t got = 0;
    do {
      got = ::recv(channel.socket_, to, static_cast<std::size_t>(size), MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    if (got > 0 && channel.first_byte_ < 0) channel.first_byte_ = static_cast<unsigned char>(*to);
    if (got == 0) channel.peer_ended_ = true;
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) BIO_set_retry_read(bio);
    return static_cast<int>(got);
  }

  static int write(BIO*, const char* from, int size) {
    outgoing().append(from, static_cast<std::size_t>(size));
    return size;
  }

  static long control(BIO* bio, int command, long, void*) {
    switch (command) {
      case BIO_CTRL_FLUSH:
        return 1;
      case BIO_CTRL_EOF:
        return static_cast<Channel*>(BIO_get_data(bio))->peer_ended_ ? 1 : 0;
      default:
        return 0;
    }
  }

  static int create(BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
  }

  static const BIO_METHOD* method() {
    static const BIO_METHOD* const made = [] {
      BIO_METHOD* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "qrerank socket");
      BIO_meth_set_read(fresh, read);
      BIO_meth_set_write(fresh, write);
      BIO_meth_set_ctrl(fresh, control);
      BIO_meth_set_create(fresh, create);
      return fresh;
    }();
    return made;
  }
};

void Channel::Free::operator()(ssl_st* connection) const {
  SSL_free(connection);
}

Channel::Channel(ContextPtr context, int socket)
    : context_(std::move(context)), socket_(socket), ssl_(SSL_new(context_->native())) {
  BIO* bio = ssl_ ? BIO_new(SocketBio::method()) : nullptr;
  if (bio == nullptr) throw std::bad_alloc();
  BIO_set_data(bio, this);
  SSL_set_bio(ssl_.get(), bio, bio);
}

Channel::~Channel() {
  // Without this, OpenSSL takes an end without close_notify for an attack and forgets the session.
  if (!dead_ && SSL_is_init_finished(ssl_.get()))
    SSL_set_shutdown(ssl_.get(), SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

std::unique_ptr<Channel> Channel::accept(ContextPtr context, int socket) {
  std::unique_ptr<Channel> channel(new Channel(std::move(context), socket));
  SSL_set_accept_state(channel->ssl_.get());
  return channel;
}

std::unique_ptr<Channel> Channel::connect(ContextPtr context, int socket, std::string host,
                                          SessionSlot* sessions) {
  std::unique_ptr<Channel> channel(new Channel(std::move(context), socket));
  SSL* ssl = channel->ssl_.get();
  SSL_set_connect_state(ssl);
  if (!channel->context_->server_name().empty()) host = channel->context_->server_name();
  error_code not_an_address;
  asio::ip::make_address(host, not_an_address);
  if (not_an_address) {
    SSL_set_tlsext_host_name(ssl, host.c_str());
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    SSL_set1_host(ssl, host.c_str());
  } else {  // RFC 6066 §3 allows no address in SNI; the certificate must name it as an address
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host.c_str());
  }
  if (sessions != nullptr) sessions->attach(ssl);
  return channel;
}

Channel::Progress Channel::handshake() {
  ERR_clear_error();
  const int returned = SSL_do_handshake(ssl_.get());
  Progress progress = returned == 1 ? Progress{} : result_of(returned);
  if (progress.error) explain(progress.error);
  if (progress.error && met_plain_http()) {  // an alert would be in the way of an answer
    outgoing().clear();
    return progress;
  }
  const Progress sent = flush();
  if (progress.error || progress.wait != Wait::none) return progress;
  SSL_set_default_read_buffer_len(ssl_.get(), kReadBytes);
  return sent;
}

Channel::Progress Channel::read(char* to, std::size_t size) {
  if (read_error_) return {Wait::none, read_error_, 0};
  std::size_t total = 0;
  // Record by record while more is here already: one read from the socket may have brought several.
  do {
    ERR_clear_error();
    std::size_t got = 0;
    const int returned = SSL_read_ex(ssl_.get(), to + total, size - total, &got);
    if (returned == 1) {
      total += got;
      continue;
    }
    const Progress stopped = result_of(returned);
    if (stopped.error) read_error_ = stopped.error;
    if (total > 0) break;
    static_cast<void>(flush());
    return stopped;
  } while (total < size && SSL_has_pending(ssl_.get()) == 1);
  if (!outgoing().empty()) static_cast<void>(flush());  // the answer to a key update
  return {Wait::none, {}, total};
}

Channel::Progress Channel::write(std::span<const asio::const_buffer> buffers) {
  if (dead_ || socket_ < 0) return {Wait::none, asio::error::broken_pipe, 0};
  if (!unsent_.empty()) {
    const Progress earlier = flush();
    if (earlier.error || earlier.wait != Wait::none) return earlier;
  }
  // Small pieces (a head, a chunk's size) share a record with what follows them.
  thread_local std::unique_ptr<char[]> gathered = std::make_unique_for_overwrite<char[]>(kRecordBytes);
  std::size_t taken = 0;
  std::size_t offset = 0;  // in the first buffer
  while (!buffers.empty() && taken < kBatchBytes) {
    const char* from = static_cast<const char*>(buffers.front().data()) + offset;
    std::size_t size = std::min(buffers.front().size() - offset, kRecordBytes);
    if (size == kRecordBytes || buffers.size() == 1) {
      offset += size;
    } else {
      size = 0;
      while (!buffers.empty() && size < kRecordBytes) {
        const std::size_t piece = std::min(buffers.front().size() - offset, kRecordBytes - size);
        std::memcpy(gathered.get() + size, static_cast<const char*>(buffers.front().data()) + offset, piece);
        size += piece;
        offset += piece;
        if (offset < buffers.front().size()) break;
        buffers = buffers.subspan(1);
        offset = 0;
      }
      from = gathered.get();
    }
    if (!buffers.empty() && offset == buffers.front().size()) {
      buffers = buffers.subspan(1);
      offset = 0;
    }
    if (size == 0) continue;
    ERR_clear_error();
    std::size_t written = 0;
    const int returned = SSL_write_ex(ssl_.get(), from, size, &written);
    if (returned != 1) {
      Progress stopped = result_of(returned);
      static_cast<void>(flush());
      stopped.bytes = taken;
      return stopped;
    }
    taken += written;
  }
  Progress progress = flush();
  progress.bytes = taken;
  return progress;
}

void Channel::socket_closed() {
  socket_ = -1;
  if (!read_error_) read_error_ = asio::error::bad_descriptor;
}

Channel::Progress Channel::end_sending() {
  if (dead_ || socket_ < 0) return {Wait::none, asio::error::broken_pipe, 0};
  if ((SSL_get_shutdown(ssl_.get()) & SSL_SENT_SHUTDOWN) == 0) {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());  // does not wait for the peer's; a failure shows when it is sent
    ERR_clear_error();
  }
  return flush();
}

bool Channel::quiet() {
  if (dead_ || read_error_ || !unsent_.empty()) return false;
  ERR_clear_error();
  char byte = 0;
  std::size_t got = 0;
  const int returned = SSL_peek_ex(ssl_.get(), &byte, 1, &got);
  const Progress stopped = returned == 1 ? Progress{} : result_of(returned);
  static_cast<void>(flush());
  if (returned == 1) return false;
  return !stopped.error && stopped.wait == Wait::readable;
}

bool Channel::met_plain_http() const {
  return first_byte_ >= 'A' && first_byte_ <= 'Z';  // a method; a handshake begins with 0x16
}

bool Channel::resumed() const {
  return SSL_session_reused(ssl_.get()) == 1;
}

Channel::Progress Channel::result_of(int returned) {
  const int number = errno;
  switch (SSL_get_error(ssl_.get(), returned)) {
    case SSL_ERROR_WANT_READ:
      return {Wait::readable, {}, 0};
    case SSL_ERROR_WANT_WRITE:
      return {Wait::writable, {}, 0};
    case SSL_ERROR_ZERO_RETURN:
      // What stands in the socket before its end is read before the end is met: close_notify did not.
      if (peer_ended_) return {Wait::none, asio::ssl::error::stream_truncated, 0};
      return {Wait::none, asio::error::eof, 0};
    case SSL_ERROR_SYSCALL:
      dead_ = true;
      if (peer_ended_ || number == 0) return {Wait::none, asio::ssl::error::stream_truncated, 0};
      return {Wait::none, system_error(number), 0};
    default:
      break;
  }
  dead_ = true;
  const unsigned long code = ERR_peek_error();
  return {Wait::none, error_code(static_cast<int>(code), asio::error::get_ssl_category()), 0};
}

// What OpenSSL wrote since the last time, behind what could not be sent then.
Channel::Progress Channel::flush() {
  std::string& fresh = outgoing();
  if (unsent_.empty()) {
    if (fresh.empty()) return {};
  } else {
    unsent_ += fresh;
    fresh.clear();
  }
  std::string& bytes = unsent_.empty() ? fresh : unsent_;
  std::size_t sent = 0;
  Progress progress;
  while (sent < bytes.size()) {
    const ssize_t now =
        ::send(socket_, bytes.data() + sent, bytes.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (now >= 0) {
      sent += static_cast<std::size_t>(now);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      progress.wait = Wait::writable;
      break;
    } else if (errno != EINTR) {
      progress.error = system_error(errno);
      dead_ = true;
      break;
    }
  }
  if (sent == bytes.size() || progress.error) {
    if (&bytes == &unsent_) unsent_ = {};  // its memory goes, too
    bytes.clear();
  } else if (&bytes == &fresh) {
    unsent_.assign(bytes, sent);
    fresh.clear();
  } else {
    unsent_.erase(0, sent);
  }
  return progress;
}

bool is_truncation(const error_code& error) {
  return error == asio::ssl::error::stream_truncated;
}

void Channel::explain(const error_code& error) {
  const long verified = SSL_get_verify_result(ssl_.get());
  const unsigned long code = ERR_peek_error();
  const int reason = ERR_GET_REASON(code);
  if (verified != X509_V_OK && reason == SSL_R_CERTIFICATE_VERIFY_FAILED) {
    why_ = std::string("certificate verify failed: ") + X509_verify_cert_error_string(verified);
  } else if (peer_ended_) {
    why_ = "the connection was closed during the handshake";
  } else {
    const char* words = code == 0 ? nullptr : ERR_reason_error_string(code);
    why_ = words == nullptr ? error.message() : words;
  }
}

}  // namespace qrerank::proxy::tls
