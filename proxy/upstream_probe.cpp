#include "proxy/upstream_probe.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <string>

namespace qrerank::proxy {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

// One upstream: resolve, connect, note, sleep, again. Kept alive by its own pending operations; `stopped`
// ends it.
struct UpstreamProbe::Target : std::enable_shared_from_this<Target> {
  static constexpr std::chrono::seconds kPeriod{2};

  Target(asio::io_context& io, const config::UpstreamUrl& url, std::chrono::milliseconds limit)
      : address(url.address), connect_limit(limit), resolver(io), socket(io), pause(io), limit_timer(io) {
    state.url = url.text;
    state.detail = "not probed yet";
  }

  void probe() {
    if (stopped) return;
    limit_timer.expires_after(connect_limit);
    limit_timer.async_wait([self = shared_from_this()](const error_code& error) {
      if (error) return;
      self->resolver.cancel();
      error_code ignored;  // closing a socket that may not be open: nothing to tell
      self->socket.close(ignored);
    });
    resolver.async_resolve(
        address.host, std::to_string(address.port),
        [self = shared_from_this()](const error_code& error, const tcp::resolver::results_type& found) {
          if (error) return self->note(error);
          asio::async_connect(self->socket, found,
                              [self](const error_code& failed, const tcp::endpoint&) { self->note(failed); });
        });
  }

  void note(const error_code& error) {
    limit_timer.cancel();
    state.reachable = !error;
    state.detail = error == asio::error::operation_aborted ? "no connection in time"
                   : error                                 ? error.message()
                                                           : "";
    error_code ignored;  // as above
    socket.close(ignored);
    if (stopped) return;
    pause.expires_after(kPeriod);
    pause.async_wait([self = shared_from_this()](const error_code& cancelled) {
      if (!cancelled) self->probe();
    });
  }

  void stop() {
    stopped = true;
    resolver.cancel();
    error_code ignored;  // as above
    socket.close(ignored);
    pause.cancel();
    limit_timer.cancel();
  }

  const config::Endpoint address;
  const std::chrono::milliseconds connect_limit;
  tcp::resolver resolver;
  tcp::socket socket;
  asio::steady_timer pause;
  asio::steady_timer limit_timer;
  admin::UpstreamState state;
  bool stopped = false;
};

UpstreamProbe::UpstreamProbe(asio::io_context& io, const config::Upstream& settings) {
  for (const auto& url : settings.urls) {
    targets_.push_back(std::make_shared<Target>(io, url, settings.connect_timeout));
  }
}

UpstreamProbe::~UpstreamProbe() {
  stop();
}

void UpstreamProbe::start() {
  for (const auto& target : targets_) target->probe();
}

void UpstreamProbe::stop() {
  for (const auto& target : targets_) target->stop();
}

std::vector<admin::UpstreamState> UpstreamProbe::states() const {
  std::vector<admin::UpstreamState> all;
  all.reserve(targets_.size());
  for (const auto& target : targets_) all.push_back(target->state);
  return all;
}

}  // namespace qrerank::proxy
