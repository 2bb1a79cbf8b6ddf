// Asks, again and again, for a sign of life. What the sign is, and whom it is for, is the caller's.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <optional>

namespace qrerank::proxy::service {

class Watchdog {
 public:
  /// `ask` is called at once and then every `period`, on the io_context's thread; never where that is unset.
  Watchdog(boost::asio::io_context& io, std::optional<std::chrono::microseconds> period,
           std::function<void()> ask);
  void stop();

 private:
  void turn();

  const std::chrono::microseconds period_;
  const std::function<void()> ask_;
  boost::asio::steady_timer timer_;
  bool stopped_;
};

}  // namespace qrerank::proxy::service
