#include "proxy/tls/context.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "proxy/tls/session_slot.hpp"

namespace qrerank::proxy::tls {
namespace {

using Problem = tl::expected<void, std::string>;

// TLS 1.2: forward secrecy and authenticated encryption only; 1.3 has nothing else.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr unsigned char kProtocols[] = "\x08http/1.1";
constexpr unsigned kProtocolsSize = sizeof kProtocols - 1;
constexpr unsigned char kSessionsOf[] = "qrerank";

std::string first_reason() {
  const unsigned long code = ERR_peek_error();  // the last one says less
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "unknown reason" : reason;
}

// OpenSSL's own words for a file that is not there or not readable are no help. A pipe can be read only once,
// and where nobody writes to it opening it takes for ever: a reload would never end, nor another one begin.
Problem readable(const std::string& key, const std::string& file) {
  std::error_code unknown;  // opening it says why
  if (std::filesystem::is_fifo(file, unknown))
    return tl::unexpected(key + ": " + file + " cannot be read: a pipe, which is no file");
  errno = 0;
  std::ifstream opened(file, std::ios::binary);
  if (opened && opened.peek() != std::ifstream::traits_type::eof()) return {};
  const char* why = errno != 0 ? std::strerror(errno) : "the file is empty";
  return tl::unexpected(key + ": " + file + " cannot be read: " + why);
}

int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Problem use_certificate(SSL_CTX* context, const std::string& section, const std::string& certificate,
                        const std::string& key) {
  if (auto ok = readable(section + ".certificate", certificate); !ok) return ok;
  if (auto ok = readable(section + ".key", key); !ok) return ok;
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1) {
    return tl::unexpected(section + ".certificate: " + certificate +
                          " is not a PEM certificate, or its chain: " + first_reason());
  }
  bool encrypted = false;
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  SSL_CTX_set_default_passwd_cb_userdata(context, &encrypted);
  // Reading a key compares it with a certificate of its kind: the reason tells that from an unreadable one.
  const bool read = SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) == 1;
  const int reason = ERR_GET_REASON(ERR_peek_last_error());
  SSL_CTX_set_default_passwd_cb_userdata(context, nullptr);
  SSL_CTX_set_default_passwd_cb(context, nullptr);
  // A key of another kind (RSA, EC) is kept for a certificate that never comes.
  const bool fits = read && SSL_CTX_check_private_key(context) == 1;
  if (fits) return {};
  if (encrypted) {
    return tl::unexpected(section + ".key: " + key +
                          " is encrypted: store it decrypted, readable by this program alone");
  }
  if (read || reason == X509_R_KEY_VALUES_MISMATCH) {
    return tl::unexpected(section + ".key: " + key + " is not the key of the certificate " + certificate);
  }
  return tl::unexpected(section + ".key: " + key + " is not a PEM private key: " + first_reason());
}

Problem trust(SSL_CTX* context, const std::string& key, const std::string& file) {
  if (auto ok = readable(key, file); !ok) return ok;
  ERR_clear_error();
  if (SSL_CTX_load_verify_file(context, file.c_str()) == 1) return {};
  return tl::unexpected(key + ": " + file + " holds no PEM certificates: " + first_reason());
}

// Not refused: the clock may be what is wrong.
void warn_if_out_of_date(const Context* context, const std::string& shown,
                         std::vector<std::string>& warnings) {
  const X509* ours = context == nullptr ? nullptr : SSL_CTX_get0_certificate(context->native());
  if (ours == nullptr) return;
  // 0 would be a time that cannot be read.
  if (X509_cmp_current_time(X509_get0_notAfter(ours)) < 0) warnings.push_back(shown + " has expired");
  if (X509_cmp_current_time(X509_get0_notBefore(ours)) > 0) warnings.push_back(shown + " is not valid yet");
}

// ALPN: a client that offers other protocols only, such as HTTP/2, is told so instead of being misunderstood.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size, const unsigned char* offered,
                    unsigned offered_size, void*) {
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, size, kProtocols, kProtocolsSize, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

void set_common(SSL_CTX* context, config::TlsVersion min_version) {
  SSL_CTX_set_min_proto_version(context,
                                min_version == config::TlsVersion::v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, kCiphers);
  // An end without close_notify is told apart by Channel; here it only costs the peer an alert of failure.
  SSL_CTX_set_options(context,
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
}

}  // namespace

void Context::Free::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

MadeContext Context::for_clients(const config::ListenerTls& settings, const std::string& section) {
  if (settings.certificate.empty()) return nullptr;
  Native native(SSL_CTX_new(TLS_server_method()));
  if (!native) return tl::unexpected(section + ": " + first_reason());
  SSL_CTX* context = native.get();
  set_common(context, settings.min_version);
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
  SSL_CTX_set_session_id_context(context, kSessionsOf, sizeof kSessionsOf - 1);
  if (auto ok = use_certificate(context, section, settings.certificate, settings.key); !ok)
    return tl::unexpected(ok.error());
  if (settings.client_certificates != config::ClientCertificates::off) {
    if (auto ok = trust(context, section + ".client_ca", settings.client_ca); !ok)
      return tl::unexpected(ok.error());
    SSL_CTX_set_client_CA_list(context, SSL_load_client_CA_file(settings.client_ca.c_str()));
    const bool required = settings.client_certificates == config::ClientCertificates::required;
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nullptr);
  }
  auto made = std::shared_ptr<Context>(new Context(std::move(native)));
  made->handshake_timeout_ = settings.handshake_timeout;
  return made;
}

MadeContext Context::for_upstreams(const config::Upstream& upstream) {
  if (std::ranges::none_of(upstream.urls, &config::UpstreamUrl::tls)) return nullptr;
  const config::UpstreamTls& settings = upstream.tls;
  Native native(SSL_CTX_new(TLS_client_method()));
  if (!native) return tl::unexpected("upstream.tls: " + first_reason());
  SSL_CTX* context = native.get();
  set_common(context, settings.min_version);
  SSL_CTX_set_alpn_protos(context, kProtocols, kProtocolsSize);
  remember_sessions(context);
  if (!settings.certificate.empty()) {
    if (auto ok = use_certificate(context, "upstream.tls", settings.certificate, settings.key); !ok)
      return tl::unexpected(ok.error());
  }
  if (settings.verify) {
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    if (settings.ca.empty()) {
      SSL_CTX_set_default_verify_paths(context);
    } else if (auto ok = trust(context, "upstream.tls.ca", settings.ca); !ok) {
      return tl::unexpected(ok.error());
    }
  }
  auto made = std::shared_ptr<Context>(new Context(std::move(native)));
  made->server_name_ = settings.server_name;
  return made;
}

tl::expected<Contexts, std::string> read_contexts(const config::Config& config) {
  auto clients = Context::for_clients(config.proxy.tls, "proxy.tls");
  if (!clients) return tl::unexpected(std::move(clients.error()));
  auto upstreams = Context::for_upstreams(config.upstream);
  if (!upstreams) return tl::unexpected(std::move(upstreams.error()));
  Contexts made{*std::move(clients), *std::move(upstreams), {}};
  warn_if_out_of_date(made.clients.get(), "proxy.tls.certificate: " + config.proxy.tls.certificate,
                      made.warnings);
  warn_if_out_of_date(made.upstreams.get(), "upstream.tls.certificate: " + config.upstream.tls.certificate,
                      made.warnings);
  return made;
}

}  // namespace qrerank::proxy::tls
