#include "proxy/service/notifier.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <cstddef>
#include <cstring>
#include <string>

namespace service = qrerank::proxy::service;
using namespace std::chrono_literals;

namespace {

constexpr long kPid = 42;

// A manager's end, under an abstract name: there is no file to clean up.
class Manager {
 public:
  Manager() : name_("@qrerank-notifier-test-" + std::to_string(::getpid())) {
    socket_ = ::socket(AF_UNIX, SOCK_DGRAM, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path + 1, name_.data() + 1, name_.size() - 1);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
    BOOST_TEST_REQUIRE(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), size) == 0);
  }
  ~Manager() { ::close(socket_); }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string heard() const {
    char bytes[512];
    const auto n = ::recv(socket_, bytes, sizeof bytes, MSG_DONTWAIT);
    return n < 0 ? "" : std::string(bytes, static_cast<std::size_t>(n));
  }

 private:
  std::string name_;
  int socket_;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(notifier)

BOOST_AUTO_TEST_CASE(nobody_asked) {
  const service::Notifier silent({}, kPid);
  silent.ready("x");
  silent.stopping();
  BOOST_TEST(silent.fault().empty());
  BOOST_TEST(!silent.watchdog_period().has_value());
}

BOOST_AUTO_TEST_CASE(each_state_is_told) {
  const Manager manager;
  const service::Notifier notifier({{"NOTIFY_SOCKET", manager.name()}}, kPid);
  BOOST_TEST(notifier.fault().empty());
  notifier.ready("serving");
  BOOST_TEST(manager.heard() == "READY=1\nSTATUS=serving\n");
  notifier.reloading();
  const auto heard = manager.heard();
  BOOST_TEST(heard.starts_with("RELOADING=1\nMONOTONIC_USEC="));
  BOOST_TEST(std::stoll(heard.substr(heard.rfind('=') + 1)) > 0);
  notifier.stopping();
  BOOST_TEST(manager.heard().starts_with("STOPPING=1\n"));
  notifier.alive();
  BOOST_TEST(manager.heard() == "WATCHDOG=1\n");
}

BOOST_AUTO_TEST_CASE(a_manager_that_is_gone_or_full_holds_nobody_up) {
  {
    const service::Notifier notifier({{"NOTIFY_SOCKET", "/nowhere/at/all"}}, kPid);
    notifier.ready("x");
  }
  const Manager manager;
  const service::Notifier notifier({{"NOTIFY_SOCKET", manager.name()}}, kPid);
  for (int i = 0; i < 10'000; ++i) notifier.alive();
  BOOST_TEST(!manager.heard().empty());
}

BOOST_AUTO_TEST_CASE(an_address_that_is_none) {
  for (const std::string& address :
       {std::string("relative"), std::string("vsock:2:1234"), "/" + std::string(200, 'a')}) {
    BOOST_TEST(!service::Notifier({{"NOTIFY_SOCKET", address}}, kPid).fault().empty());
  }
}

BOOST_AUTO_TEST_CASE(the_watchdog_is_for_one_process) {
  const Manager manager;
  const auto period = [&](const std::string& usec, const std::string& pid) {
    return service::Notifier(
               {{"NOTIFY_SOCKET", manager.name()}, {"WATCHDOG_USEC", usec}, {"WATCHDOG_PID", pid}}, kPid)
        .watchdog_period();
  };
  BOOST_TEST((period("3000000", "42") == std::chrono::microseconds(1500ms)));
  BOOST_TEST((period("3000000", "") == std::chrono::microseconds(1500ms)));
  BOOST_TEST(!period("3000000", "41").has_value());
  BOOST_TEST(!period("0", "42").has_value());
  BOOST_TEST(!period("soon", "42").has_value());
}

BOOST_AUTO_TEST_SUITE_END()
