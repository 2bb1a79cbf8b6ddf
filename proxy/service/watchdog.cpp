#include "proxy/service/watchdog.hpp"

#include <boost/asio/post.hpp>
#include <utility>

namespace qrerank::proxy::service {

Watchdog::Watchdog(boost::asio::io_context& io, std::optional<std::chrono::microseconds> period,
                   std::function<void()> ask)
    : period_(period.value_or(std::chrono::microseconds(0))),
      ask_(std::move(ask)),
      timer_(io),
      stopped_(!period.has_value()) {
  boost::asio::post(io, [this] { turn(); });
}

void Watchdog::stop() {
  stopped_ = true;
  timer_.cancel();
}

void Watchdog::turn() {
  if (stopped_) return;
  ask_();
  timer_.expires_after(period_);
  timer_.async_wait([this](const boost::system::error_code& cancelled) {
    if (!cancelled) turn();
  });
}

}  // namespace qrerank::proxy::service
