// What TLS connections of one side begin with: certificates, trusted authorities, versions, as OpenSSL keeps
// them. Read from files once and never changed; a reload makes a new one. Connections are channel.hpp's.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "proxy/config/config.hpp"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace qrerank::proxy::tls {

class Context;
using ContextPtr = std::shared_ptr<const Context>;
/// The error names the setting, the file and the reason; never what is in the file.
using MadeContext = tl::expected<ContextPtr, std::string>;

class Context {
 public:
  /// We are the server. Null where no certificate is configured: plain HTTP.
  [[nodiscard]] static MadeContext for_clients(const config::ListenerTls& settings,
                                               const std::string& section);
  /// We are the client. Null where no URL of `upstream` asks for TLS.
  [[nodiscard]] static MadeContext for_upstreams(const config::Upstream& upstream);

  [[nodiscard]] ssl_ctx_st* native() const { return native_.get(); }
  [[nodiscard]] std::chrono::milliseconds handshake_timeout() const { return handshake_timeout_; }
  /// Of the other side; empty: the name that is connected to.
  [[nodiscard]] const std::string& server_name() const { return server_name_; }

 private:
  struct Free {
    void operator()(ssl_ctx_st* context) const;
  };
  using Native = std::unique_ptr<ssl_ctx_st, Free>;
  explicit Context(Native native) : native_(std::move(native)) {}

  Native native_;
  std::chrono::milliseconds handshake_timeout_{};
  std::string server_name_;
};

/// The context in force. Connections keep the one they began with. Thread-safe; a lock for each new
/// connection is nothing beside its handshake.
class CurrentContext {
 public:
  explicit CurrentContext(ContextPtr context = nullptr) : context_(std::move(context)) {}

  [[nodiscard]] ContextPtr get() const {
    const std::lock_guard lock(mutex_);
    return context_;
  }
  void set(ContextPtr context) {
    const std::lock_guard lock(mutex_);
    context_.swap(context);
  }

 private:
  mutable std::mutex mutex_;
  ContextPtr context_;  // guarded by mutex_
};

/// Both sides' contexts of a configuration; null where there is no TLS.
struct Contexts {
  ContextPtr clients;
  ContextPtr upstreams;
  std::vector<std::string> warnings;  ///< certificates of ours that are out of date: others refuse them
};
[[nodiscard]] tl::expected<Contexts, std::string> read_contexts(const config::Config& config);

}  // namespace qrerank::proxy::tls
