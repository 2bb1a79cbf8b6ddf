// Whether the upstreams can be reached at all, for /readyz and /status: a TCP connection every few seconds.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <vector>

#include "proxy/admin/handler.hpp"
#include "proxy/config/config.hpp"

namespace qrerank::proxy {

/// Everything runs on the io_context given, which one thread runs and which outlives it.
class UpstreamProbe {
 public:
  UpstreamProbe(boost::asio::io_context& io, const config::Upstream& settings);
  ~UpstreamProbe();
  UpstreamProbe(const UpstreamProbe&) = delete;
  UpstreamProbe& operator=(const UpstreamProbe&) = delete;

  void start();
  void stop();

  /// What the last round found; before the first one, "not probed yet".
  [[nodiscard]] std::vector<admin::UpstreamState> states() const;

 private:
  struct Target;
  std::vector<std::shared_ptr<Target>> targets_;
};

}  // namespace qrerank::proxy
