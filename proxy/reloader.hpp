// SIGHUP: reads the configuration again and puts it in force, or keeps the old one and says why.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <functional>
#include <string>
#include <tl/expected.hpp>

#include "proxy/config/live.hpp"
#include "proxy/config/reload.hpp"
#include "proxy/observe/metrics/program.hpp"
#include "proxy/service/notifier.hpp"

namespace qrerank::proxy {

/// Everything runs on the io_context given, which one thread runs and which outlives it. From its
/// construction on the signal does not end the program.
class Reloader {
 public:
  /// Called before the swap, for what does not ask `live` itself. An error: nothing was changed, and nothing
  /// is.
  using Apply = std::function<tl::expected<void, std::string>(const config::Config&)>;

  Reloader(boost::asio::io_context& io, config::LiveConfig& live, config::ReadConfig read,
           observe::metrics::Program& metrics, const service::Notifier& notifier, Apply apply);

  /// The signal is caught, and ignored.
  void stop();

 private:
  void wait();
  void reload();

  config::LiveConfig& live_;
  const config::ReadConfig read_;
  observe::metrics::Program& metrics_;
  const service::Notifier& notifier_;
  const Apply apply_;
  boost::asio::signal_set hangups_;
  bool stopped_ = false;
};

}  // namespace qrerank::proxy
