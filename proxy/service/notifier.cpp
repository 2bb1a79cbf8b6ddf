#include "proxy/service/notifier.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <ctime>

namespace qrerank::proxy::service {
namespace {

// CLOCK_MONOTONIC, which the manager reads as well.
long long monotonic_microseconds() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<long long>(now.tv_sec) * 1'000'000 + now.tv_nsec / 1'000;
}

}  // namespace

Notifier::Notifier(const Environment& environment, long own_pid)
    : address_(variable(environment, "NOTIFY_SOCKET")) {
  if (address_.empty()) return;
  if ((address_[0] != '/' && address_[0] != '@') || address_.size() >= sizeof(sockaddr_un::sun_path)) {
    fault_ = "NOTIFY_SOCKET: '" + address_ + "' is no address of a local socket";
    return;
  }
  if (address_[0] == '@') address_[0] = '\0';
  socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) {
    fault_ = std::string("cannot make a local socket: ") + std::strerror(errno);
    return;
  }
  const auto pid = variable(environment, "WATCHDOG_PID");
  const auto period = whole_number(variable(environment, "WATCHDOG_USEC"));
  if (period && *period > 1 && (pid.empty() || whole_number(pid) == own_pid)) {
    watchdog_ = std::chrono::microseconds(*period / 2);
  }
}

Notifier::~Notifier() {
  if (socket_ >= 0) ::close(socket_);
}

void Notifier::ready(std::string_view status) const {
  tell(fmt::format("READY=1\nSTATUS={}\n", status));
}
void Notifier::reloading() const {
  tell(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\n", monotonic_microseconds()));
}
void Notifier::stopping() const {
  tell("STOPPING=1\nSTATUS=draining\n");
}
void Notifier::alive() const {
  tell("WATCHDOG=1\n");
}

void Notifier::tell(std::string_view lines) const {
  if (socket_ < 0) return;
  sockaddr_un to{};
  to.sun_family = AF_UNIX;
  std::memcpy(to.sun_path, address_.data(), address_.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address_.size());
  // Not waited for, and nothing depends on it: a manager that does not read has its own time limits.
  static_cast<void>(::sendto(socket_, lines.data(), lines.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
                             reinterpret_cast<const sockaddr*>(&to), size));
}

}  // namespace qrerank::proxy::service
