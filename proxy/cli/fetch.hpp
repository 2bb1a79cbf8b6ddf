// HTTP for `pull`: one GET at a time over libcurl, redirects followed here so that the token goes to the hub
// alone. Blocks; never used by the running proxy.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "proxy/config/secret.hpp"

namespace qrerank::proxy::cli {

struct FetchError {
  std::string message;    ///< never holds the token, nor a redirect's query (it may be signed)
  bool may_pass = false;  ///< trying again may help: cut off, timed out, 429, 5xx
  long status = 0;        ///< of HTTP; 0 where there was none
  std::chrono::seconds wait_at_least{0};  ///< Retry-After, at most a minute
};

/// https anywhere; plain http only to this machine itself (127.0.0.0/8, [::1], localhost).
bool is_allowed_url(const std::string& url);

class Fetcher {
 public:
  /// `token` may be empty. It is sent to `origin` (scheme://host:port of the hub) only.
  Fetcher(std::string origin, config::Secret token);
  ~Fetcher();
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  /// The body of a 200, at most `max_bytes`.
  tl::expected<std::string, FetchError> get_text(const std::string& url, std::size_t max_bytes);

  /// Bytes of the file so far.
  using Progress = std::function<void(std::uint64_t bytes)>;

  /// Appends to `part` what it lacks of the `total_bytes` at `url`; starts over when the server does not do
  /// ranges. The part stays where it is on failure, to go on from there.
  tl::expected<void, FetchError> get_file(const std::string& url, const std::filesystem::path& part,
                                          std::uint64_t total_bytes, const Progress& progress);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace qrerank::proxy::cli
