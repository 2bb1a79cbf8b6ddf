// POSTs of JSON to the running proxy over libcurl, on one connection that is kept. Blocks; for the command
// line alone.
#pragma once

#include <memory>
#include <string>
#include <tl/expected.hpp>

#include "proxy/config/secret.hpp"

namespace qrerank::proxy::eval {

struct Reply {
  long status = 0;
  std::string body;
  double wall_ms = 0;  ///< from the request's first step to the answer's last byte
};

class ProxyClient {
 public:
  /// `url`: http(s)://host:port, perhaps with a path before /collections. `api_key` may be empty; it is sent
  /// there alone (redirects are not followed) and never part of an error.
  ProxyClient(std::string url, const config::Secret& api_key);
  ~ProxyClient();
  ProxyClient(const ProxyClient&) = delete;
  ProxyClient& operator=(const ProxyClient&) = delete;

  /// `path` begins with a slash. Any status is a reply; the error is that none came.
  tl::expected<Reply, std::string> post(const std::string& path, const std::string& body);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Empty, or why this cannot be the address of a proxy. Credentials inside are refused: they would end up in
/// messages.
[[nodiscard]] std::string wrong_with_url(const std::string& url);

}  // namespace qrerank::proxy::eval
