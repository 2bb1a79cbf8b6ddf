// What a service manager is told (sd_notify(3)): a few lines of text in one datagram to $NOTIFY_SOCKET.
// Without that variable nothing is said.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/service/environment.hpp"

namespace qrerank::proxy::service {

class Notifier {
 public:
  /// `own_pid` says whether $WATCHDOG_USEC is meant for this process.
  Notifier(const Environment& environment, long own_pid);
  ~Notifier();
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  void ready(std::string_view status) const;
  /// Answered by ready() when it is done. Carries the time that the manager orders them by.
  void reloading() const;
  void stopping() const;
  void alive() const;

  /// How often alive() is due: half of what the manager waits for; nothing when it does not watch.
  [[nodiscard]] std::optional<std::chrono::microseconds> watchdog_period() const { return watchdog_; }

  /// Why it cannot speak although it was asked to; empty when it can, or was not asked.
  [[nodiscard]] const std::string& fault() const { return fault_; }

 private:
  void tell(std::string_view lines) const;

  int socket_ = -1;
  std::string address_;  // a path, or with a leading NUL an abstract name
  std::string fault_;
  std::optional<std::chrono::microseconds> watchdog_;
};

}  // namespace qrerank::proxy::service
