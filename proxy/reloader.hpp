// SIGHUP: reads the configuration again and puts it in force, or keeps the old one and says why.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <functional>

#include "proxy/config/live.hpp"
#include "proxy/config/reload.hpp"
#include "proxy/observe/metrics.hpp"

namespace qrerank::proxy {

/// Everything runs on the io_context given, which one thread runs and which outlives it. From its
/// construction on the signal does not end the program.
class Reloader {
 public:
  /// `applied` is called after the swap, for what does not ask `live` itself.
  Reloader(boost::asio::io_context& io, config::LiveConfig& live, config::ReadConfig read,
           observe::Metrics& metrics, std::function<void(const config::Config&)> applied);

  /// The signal is caught, and ignored.
  void stop();

 private:
  void wait();
  void reload();

  config::LiveConfig& live_;
  const config::ReadConfig read_;
  observe::Metrics& metrics_;
  const std::function<void(const config::Config&)> applied_;
  boost::asio::signal_set hangups_;
  bool stopped_ = false;
};

}  // namespace qrerank::proxy
