// SIGHUP: reads the configuration again and puts it in force, or keeps the old one and says why. Reading may
// take its time (a pipe, a file server that hangs), so it is done on a thread of its own.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <functional>
#include <string>
#include <tl/expected.hpp>

#include "proxy/config/live.hpp"
#include "proxy/config/reload.hpp"
#include "proxy/http/errands.hpp"
#include "proxy/observe/metrics/program.hpp"
#include "proxy/service/notifier.hpp"

namespace qrerank::proxy {

/// Everything but reading runs on the io_context given, which one thread runs and which outlives it. From its
/// construction on the signal does not end the program.
class Reloader {
 public:
  using Apply = std::function<void(const config::Config&)>;
  /// Called while reading, for what a configuration names; holds no reference to what the program's end takes
  /// away. What it returns is called before the swap, for what does not ask `live` itself. An error: nothing
  /// was changed, and nothing is.
  using Prepare = std::function<tl::expected<Apply, std::string>(const config::Config&)>;

  Reloader(boost::asio::io_context& io, config::LiveConfig& live, config::ReadConfig read,
           observe::metrics::Program& metrics, const service::Notifier& notifier, Prepare prepare);

  /// The signal is caught, and ignored; what is being read comes to nothing.
  void stop();

  /// A thread is at it, and cannot be stopped.
  [[nodiscard]] bool reading() const { return reading_; }

 private:
  struct Read;

  void wait();
  void read();
  void finish(const tl::expected<Read, std::string>& read);
  void put_in_force(const Read& read);

  config::LiveConfig& live_;
  const config::ReadConfig read_;
  observe::metrics::Program& metrics_;
  const service::Notifier& notifier_;
  const Prepare prepare_;
  const http::Errands errands_;
  boost::asio::signal_set hangups_;
  bool reading_ = false;
  bool stopped_ = false;
};

}  // namespace qrerank::proxy
