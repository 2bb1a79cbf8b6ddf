// The server through a real socket: framing, limits, stop. Plain blocking sockets talk to it.
#include "proxy/admin/server.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/test/unit_test.hpp>
#include <semaphore>
#include <stdexcept>
#include <thread>

namespace admin = qrerank::proxy::admin;
using namespace std::chrono_literals;

namespace {

class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    BOOST_TEST_REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(const std::string& bytes) { (void)!::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  // False when it is not taken within a second.
  bool sends(const std::string& bytes) {
    const timeval patience{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    return ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(bytes.size());
  }
  // All that comes until the server closes.
  std::string read_all() {
    std::string all;
    char piece[4096];
    for (ssize_t n = 0; (n = ::recv(socket_, piece, sizeof piece, 0)) > 0;) {
      all.append(piece, static_cast<std::size_t>(n));
    }
    return all;
  }

 private:
  int socket_;
};

// What /forever reached: it waits; it was ended.
std::counting_semaphore<> waiting(0);
std::counting_semaphore<> ended(0);
struct Released {
  Released() = default;
  ~Released() { ended.release(); }
  Released(const Released&) = delete;
  Released& operator=(const Released&) = delete;
};

// Like the real one, a coroutine that may wait.
qrerank::proxy::http::Awaitable<admin::AdminReply> echo(admin::AdminRequest request) {
  if (request.target == "/throw") throw std::runtime_error("a bug");
  if (request.target == "/forever") {
    const auto executor = co_await boost::asio::this_coro::executor;
    boost::asio::steady_timer timer(executor, boost::asio::steady_timer::time_point::max());
    waiting.release();
    // What ends it is thrown, as by a handler that does not look.
    const Released cancelled;
    co_await timer.async_wait(qrerank::proxy::http::use_awaitable);
  }
  if (request.target == "/wait") {
    const auto executor = co_await boost::asio::this_coro::executor;
    co_await boost::asio::post(executor, qrerank::proxy::http::use_awaitable);
  }
  admin::AdminReply reply{200, "text/plain", request.method + " " + request.target + request.body, ""};
  reply.fields = {{"Cache-Control", "no-cache"}, {"X-Key", request.api_key}};
  if (request.target == "/same") reply = {304, "text/plain", "", ""};
  co_return reply;
}

struct Running {
  explicit Running(admin::ServerLimits limits = {}) {
    auto started = admin::Server::start(io, {"127.0.0.1", 0}, &echo, limits);
    BOOST_TEST_REQUIRE(started.has_value());
    server = *std::move(started);
    thread = std::thread([this] { io.run(); });
  }
  ~Running() {
    boost::asio::post(io, [this] { server->stop(); });
    thread.join();  // ends only if stop() left nothing behind
  }
  std::string ask(const std::string& bytes) {
    Client client(server->address().port);
    client.send(bytes);
    return client.read_all();
  }

  boost::asio::io_context io;
  std::unique_ptr<admin::Server> server;
  std::thread thread;
};

bool begins(const std::string& text, const std::string& with) {
  return text.starts_with(with);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(server)

BOOST_AUTO_TEST_CASE(answers_and_keeps_the_connection) {
  Running running;
  BOOST_TEST(running.server->address().port != 0);
  const auto both = running.ask(
      "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  BOOST_TEST(both.find("GET /a") != std::string::npos);
  BOOST_TEST(both.ends_with("GET /b"));
  const auto head = running.ask("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  BOOST_TEST(head.ends_with("\r\n\r\n"));
  BOOST_TEST(head.find("Content-Length: 7\r\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_bug_is_500) {
  Running running;
  BOOST_TEST(
      begins(running.ask("GET /throw HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), "HTTP/1.1 500"));
}

BOOST_AUTO_TEST_CASE(a_handler_gets_the_body_and_may_wait) {
  Running running;
  const auto reply = running.ask(
      "POST /wait HTTP/1.1\r\nHost: x\r\napi-key: k\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc");
  BOOST_TEST(reply.ends_with("POST /waitabc"));
  BOOST_TEST(reply.find("X-Key: k\r\n") != std::string::npos);
  BOOST_TEST(reply.find("Cache-Control: no-cache\r\n") != std::string::npos);
  BOOST_TEST(reply.find("no-store") == std::string::npos);
  const auto twice =
      running.ask("GET /a HTTP/1.1\r\nHost: x\r\napi-key: k\r\napi-key: l\r\nConnection: close\r\n\r\n");
  BOOST_TEST(twice.find("X-Key: (given twice)") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_handler_ends_with_its_client) {
  Running running;
  {
    Client leaving(running.server->address().port);
    leaving.send("GET /forever HTTP/1.1\r\nHost: x\r\n\r\n");
    BOOST_TEST_REQUIRE(waiting.try_acquire_for(10s));
    BOOST_TEST(!ended.try_acquire());
    leaving.send("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");  // sends ahead: still there
  }
  BOOST_TEST(ended.try_acquire_for(10s));
  BOOST_TEST(running.ask("GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ends_with("GET /a"));
}

BOOST_AUTO_TEST_CASE(stopping_ends_handlers) {
  {
    Running running;  // its end waits until nothing is left
    Client client(running.server->address().port);
    client.send("GET /forever HTTP/1.1\r\nHost: x\r\n\r\n");
    BOOST_TEST_REQUIRE(waiting.try_acquire_for(10s));
  }
  BOOST_TEST(ended.try_acquire());
}

BOOST_AUTO_TEST_CASE(what_is_sent_ahead_while_a_handler_waits_is_answered) {
  Running running;
  Client client(running.server->address().port);
  client.send("POST /wait HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\nGET /ne");
  client.send("xt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  BOOST_TEST(client.read_all().ends_with("GET /next"));
}

BOOST_AUTO_TEST_CASE(not_modified_has_no_body) {
  Running running;
  const auto both = running.ask(
      "GET /same HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  BOOST_TEST(begins(both, "HTTP/1.1 304"));
  BOOST_TEST(both.substr(0, both.find("\r\n\r\n")).find("Content-Length") == std::string::npos);
  BOOST_TEST(both.ends_with("GET /b"));
}

BOOST_AUTO_TEST_CASE(limits_are_answered) {
  Running running;
  BOOST_TEST(
      begins(running.ask("GET / HTTP/1.1\r\nX: " + std::string(9000, 'a') + "\r\n\r\n"), "HTTP/1.1 431"));
  BOOST_TEST(begins(running.ask("POST / HTTP/1.1\r\nContent-Length: 70000\r\n\r\n"), "HTTP/1.1 413"));
  BOOST_TEST(begins(running.ask("nonsense\r\n\r\n"), "HTTP/1.1 400"));
}

BOOST_AUTO_TEST_CASE(silence_is_ended) {
  Running running({.read_timeout = 20ms});
  Client silent(running.server->address().port);
  BOOST_TEST(silent.read_all().empty());
  BOOST_TEST(running.ask("GET /half HTTP/1.1\r\nHost").empty());
}

BOOST_AUTO_TEST_CASE(too_many_are_turned_away) {
  {
    Running running({.max_connections = 1});
    Client first(running.server->address().port);
    first.send("GET /forever HTTP/1.1\r\nHost: x\r\n\r\n");
    waiting.acquire();
    Client second(running.server->address().port);
    BOOST_TEST(second.read_all().empty());
  }
  ended.acquire();
}

BOOST_AUTO_TEST_CASE(the_one_that_is_waited_for_longest_gives_its_place_to_a_further_one) {
  Running running({.max_connections = 2});
  Client slow(running.server->address().port);
  slow.send("GET /a HTTP/1.1\r\nHost: x\r\n");
  Client silent(running.server->address().port);
  for (int probe = 0; probe < 3; ++probe) {
    BOOST_TEST(running.ask("GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ends_with("GET /b"));
  }
  BOOST_TEST(slow.read_all().empty());
  silent.send("GET /c HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  BOOST_TEST(silent.read_all().ends_with("GET /c"));
}

BOOST_AUTO_TEST_CASE(one_that_does_not_read_its_answers_keeps_nobody_out) {
  Running running({.max_connections = 1});
  Client slow(running.server->address().port);
  const std::string body(60'000, 'a');
  const std::string request = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n" + body;
  while (slow.sends(request)) {
  }
  BOOST_TEST(running.ask("GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").ends_with("GET /b"));
}

BOOST_AUTO_TEST_CASE(an_address_in_use_is_told) {
  Running running;
  const auto again = admin::Server::start(running.io, running.server->address(), {});
  BOOST_TEST_REQUIRE(!again.has_value());
  BOOST_TEST(again.error().find("Address already in use") != std::string::npos, again.error());
  const auto nowhere = admin::Server::start(running.io, {"nowhere.invalid", 1}, {});
  BOOST_TEST(!nowhere.has_value());
}

BOOST_AUTO_TEST_SUITE_END()
