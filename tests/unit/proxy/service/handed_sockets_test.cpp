#include "proxy/service/handed_sockets.hpp"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <string>

namespace service = qrerank::proxy::service;

namespace {

constexpr long kPid = 42;

auto read(const std::string& pid, const std::string& count, const std::string& names = "") {
  service::Environment environment{{"HOME", "/"}, {"LISTEN_PID", pid}, {"LISTEN_FDS", count}};
  if (!names.empty()) environment.emplace_back("LISTEN_FDNAMES", names);
  return service::read_handed(environment, kPid);
}

// Descriptors one after the other, as a service manager leaves them.
class Sockets {
 public:
  ~Sockets() {
    for (int i = 0; i < count_; ++i) ::close(kFirst + i);
  }
  int add(int domain, int type, bool listening) {
    const int made = ::socket(domain, type, 0);
    BOOST_TEST_REQUIRE(made >= 0);
    if (listening) BOOST_TEST_REQUIRE(::listen(made, 1) == 0);
    return place(made);
  }
  int listener() { return add(AF_INET, SOCK_STREAM, true); }
  int place(int made) {
    const int at = kFirst + count_++;
    BOOST_TEST_REQUIRE(::dup2(made, at) == at);
    ::close(made);
    return at;
  }
  auto take(std::vector<std::string> names = {}) {
    return service::take_handed({.first = kFirst, .count = count_, .names = std::move(names)}, {"grpc"});
  }
  auto fault(std::vector<std::string> names = {}) {
    const auto taken = take(std::move(names));
    BOOST_TEST_REQUIRE(!taken.has_value());
    return taken.error();
  }

 private:
  static constexpr int kFirst = 200;
  int count_ = 0;
};

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(handed_sockets)

BOOST_AUTO_TEST_CASE(what_is_for_nobody_or_another_is_not_ours) {
  BOOST_TEST(service::read_handed({}, kPid).value().count == 0);
  BOOST_TEST(read("41", "2").value().count == 0);
  BOOST_TEST(read("", "2").value().count == 0);
  BOOST_TEST(read("42x", "2").value().count == 0);
  BOOST_TEST(read("42", "2").value().count == 2);
  BOOST_TEST(read("42", "2").value().names.empty());
  BOOST_TEST(read("42", "2", "admin:proxy").value().names.at(1) == "proxy");
}

BOOST_AUTO_TEST_CASE(nonsense_is_refused) {
  for (const std::string count : {"-1", "two", "1000000", "1 "}) {
    BOOST_TEST(holds(read("42", count).error(), "LISTEN_FDS: '" + count + "'"));
  }
  BOOST_TEST(holds(read("42", "2", "proxy").error(), "LISTEN_FDNAMES: 'proxy'"));
}

BOOST_AUTO_TEST_CASE(by_name_and_by_order) {
  Sockets sockets;
  BOOST_TEST(!sockets.take().value().proxy.has_value());
  const int first = sockets.listener();
  BOOST_TEST(sockets.take().value().proxy.value() == first);
  BOOST_TEST(!sockets.take().value().admin.has_value());
  BOOST_TEST(sockets.take({"qrerank.socket"}).value().proxy.value() == first);
  BOOST_TEST(sockets.take({"admin"}).value().admin.value() == first);
  const int second = sockets.add(AF_INET6, SOCK_STREAM, true);
  BOOST_TEST(sockets.take().value().admin.value() == second);
  const auto named = sockets.take({"admin", "proxy"}).value();
  BOOST_TEST(named.proxy.value() == second);
  BOOST_TEST(named.admin.value() == first);
  BOOST_TEST((::fcntl(first, F_GETFD) & FD_CLOEXEC) != 0);
  const auto relayed = sockets.take({"relays.grpc", "proxy"}).value();
  BOOST_TEST(relayed.proxy.value() == second);
  BOOST_TEST(!relayed.admin.has_value());
  BOOST_TEST(relayed.relays.at("grpc") == first);
}

BOOST_AUTO_TEST_CASE(what_cannot_be_used_is_named) {
  Sockets sockets;
  sockets.listener();
  sockets.listener();
  BOOST_TEST(holds(sockets.fault({"proxy", "grpc"}), "grpc is neither proxy nor admin"));
  BOOST_TEST(holds(sockets.fault({"proxy", "relays.other"}), "relays.other is neither proxy nor admin"));
  BOOST_TEST(holds(sockets.fault({"relays.gone", "other"}), "relays.gone is neither proxy nor admin"));
  BOOST_TEST(holds(sockets.fault({"proxy", "proxy"}), "proxy is there twice"));
  sockets.listener();
  BOOST_TEST(holds(sockets.fault(), "3 sockets were handed over"));
}

BOOST_AUTO_TEST_CASE(one_socket_is_not_two_listeners) {
  for (const int domain : {AF_INET, AF_INET6}) {
    Sockets sockets;
    const int first = sockets.add(domain, SOCK_STREAM, true);
    sockets.place(::dup(first));
    BOOST_TEST(holds(sockets.fault(), "admin has the address of the one handed over as proxy"));
    BOOST_TEST(holds(sockets.fault({"relays.grpc", "proxy"}),
                     "proxy has the address of the one handed over as relays.grpc"));
  }
}

BOOST_AUTO_TEST_CASE(two_sockets_of_one_port_are_not_two_listeners) {
  Sockets sockets;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  for (int i = 0; i < 2; ++i) {
    const int made = sockets.add(AF_INET, SOCK_STREAM, false);
    const int yes = 1;
    BOOST_TEST_REQUIRE(::setsockopt(made, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) == 0);
    BOOST_TEST_REQUIRE(::bind(made, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    BOOST_TEST_REQUIRE(::listen(made, 1) == 0);
    BOOST_TEST_REQUIRE(::getsockname(made, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  }
  BOOST_TEST(holds(sockets.fault(), "admin has the address of the one handed over as proxy"));
}

BOOST_AUTO_TEST_CASE(what_is_no_listening_tcp_socket_is_refused) {
  {
    Sockets sockets;
    sockets.add(AF_INET, SOCK_STREAM, false);
    BOOST_TEST(holds(sockets.fault(), "as proxy does not listen"));
  }
  {
    Sockets sockets;
    sockets.add(AF_INET, SOCK_DGRAM, false);
    BOOST_TEST(holds(sockets.fault({"admin"}), "as admin is no stream socket"));
  }
  {
    Sockets sockets;
    sockets.add(AF_UNIX, SOCK_STREAM, false);
    BOOST_TEST(holds(sockets.fault(), "is no TCP socket"));
  }
  {
    Sockets sockets;
    sockets.place(::open("/dev/null", O_RDONLY));
    BOOST_TEST(holds(sockets.fault(), "is no stream socket"));
  }
}

BOOST_AUTO_TEST_SUITE_END()
