// Two channels over a pair of sockets, stepped by hand: no event loop, no thread.
#include "proxy/tls/channel.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

#include "proxy/tls/session_slot.hpp"
#include "tests/unit/proxy/tls/certificates.hpp"

namespace asio = boost::asio;
namespace config = qrerank::proxy::config;
namespace tls = qrerank::proxy::tls;
using qrerank::test::Certificates;
using tls::Channel;

namespace {

// One folder for all cases: keys take their time.
const Certificates& certificates() {
  static const Certificates files;
  static const bool made = [] {
    files.make("server");
    files.make("client", "DNS:client.test");
    return true;
  }();
  static_cast<void>(made);
  return files;
}

config::ListenerTls listener() {
  config::ListenerTls settings;
  settings.certificate = certificates().file("server.pem");
  settings.key = certificates().file("server.key");
  return settings;
}

config::Upstream upstream() {
  config::Upstream settings;
  settings.urls.front().tls = true;
  settings.tls.ca = certificates().file("server.pem");
  return settings;
}

struct Pair {
  explicit Pair(const config::ListenerTls& at_server = listener(),
                const config::Upstream& at_client = upstream(), const std::string& host = "q.test")
      : Pair(*tls::Context::for_clients(at_server, "proxy.tls"), *tls::Context::for_upstreams(at_client),
             host) {}
  Pair(tls::ContextPtr at_server, tls::ContextPtr at_client, const std::string& host,
       tls::SessionSlot* slot = nullptr) {
    BOOST_REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sockets.data()) == 0);
    server = Channel::accept(std::move(at_server), sockets[0]);
    client = Channel::connect(std::move(at_client), sockets[1], host, slot);
  }
  ~Pair() {
    close_socket(0);
    close_socket(1);
  }
  Pair(const Pair&) = delete;
  Pair& operator=(const Pair&) = delete;

  void close_socket(std::size_t which) {
    if (sockets[which] >= 0) ::close(sockets[which]);
    sockets[which] = -1;
  }

  // Turns until both sides are done or one has failed.
  bool handshake() {
    for (int i = 0; i < 20; ++i) {
      const auto at_client = client->handshake();
      const auto at_server = server->handshake();
      if (at_client.error || at_server.error) return false;
      if (at_client.wait == Channel::Wait::none && at_server.wait == Channel::Wait::none) return true;
    }
    return false;
  }

  std::array<int, 2> sockets{-1, -1};
  std::unique_ptr<Channel> server;
  std::unique_ptr<Channel> client;
};

// Sends all of it, reading at the other end whenever the sender has to wait.
std::string through(Channel& from, Channel& to, std::vector<asio::const_buffer> pieces) {
  std::string got;
  std::array<char, 50'000> buffer;
  std::span<asio::const_buffer> left(pieces);
  for (bool sent = false;;) {
    if (!sent) {
      const auto step = from.write(left);
      BOOST_REQUIRE(!step.error);
      std::size_t bytes = step.bytes;
      while (!left.empty() && bytes >= left.front().size()) {
        bytes -= left.front().size();
        left = left.subspan(1);
      }
      if (!left.empty()) left.front() += bytes;
      sent = left.empty() && step.wait == Channel::Wait::none;
      if (!sent && step.wait == Channel::Wait::none) continue;
    }
    const auto read = to.read(buffer.data(), buffer.size());
    BOOST_REQUIRE(!read.error);
    if (read.wait != Channel::Wait::none && sent) return got;
    got.append(buffer.data(), read.bytes);
  }
}

std::string why_not(const config::ListenerTls& at_server, const config::Upstream& at_client,
                    const std::string& host = "q.test") {
  Pair pair(at_server, at_client, host);
  BOOST_TEST(!pair.handshake());
  return pair.client->why();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(channel)

BOOST_AUTO_TEST_CASE(bytes_both_ways_in_any_pieces) {
  Pair pair;
  BOOST_REQUIRE(pair.handshake());
  std::mt19937 random(7);
  std::string all(3'000'000, '\0');
  for (char& c : all) c = static_cast<char>(random());
  for (const std::size_t most : {3u, 900u, 20'000u, 70'000u, 3'000'000u}) {
    const std::string_view said =
        std::string_view(all).substr(0, std::min<std::size_t>(most * 1000, all.size()));
    std::vector<asio::const_buffer> pieces;
    for (std::size_t at = 0; at < said.size();) {
      const std::size_t size = std::min<std::size_t>(1 + random() % most, said.size() - at);
      pieces.emplace_back(said.data() + at, size);
      at += size;
    }
    pieces.emplace_back(said.data(), 0);  // an empty one may be among them
    BOOST_TEST((through(*pair.client, *pair.server, pieces) == said), most);
    BOOST_TEST((through(*pair.server, *pair.client, pieces) == said), most);
  }
}

BOOST_AUTO_TEST_CASE(an_end_that_was_said_and_one_that_was_not) {
  for (const bool said : {true, false}) {
    Pair pair;
    BOOST_REQUIRE(pair.handshake());
    BOOST_TEST(through(*pair.server, *pair.client, {asio::buffer("last", 4)}) == "last");
    asio::const_buffer piece("more", 4);
    BOOST_TEST(pair.server->write({&piece, 1}).bytes == 4u);
    if (said) BOOST_TEST(!pair.server->end_sending().error);
    pair.close_socket(0);
    char buffer[10];
    BOOST_TEST(pair.client->read(buffer, sizeof buffer).bytes == 4u);
    const auto end = pair.client->read(buffer, sizeof buffer);
    BOOST_TEST((end.error == asio::error::eof) == said);
    BOOST_TEST(tls::is_truncation(end.error) == !said);
    BOOST_TEST(pair.client->read(buffer, sizeof buffer).error == end.error);  // and it stays so
  }
}

// Nothing failed here: an alert of an error would say so to a peer that still reads.
BOOST_AUTO_TEST_CASE(an_end_that_was_not_said_is_answered_like_any_other) {
  Pair pair;
  BOOST_REQUIRE(pair.handshake());
  BOOST_TEST(through(*pair.server, *pair.client, {asio::buffer("last", 4)}) == "last");
  BOOST_REQUIRE(::shutdown(pair.sockets[0], SHUT_WR) == 0);
  char buffer[10];
  BOOST_TEST(tls::is_truncation(pair.client->read(buffer, sizeof buffer).error));
  BOOST_TEST((pair.server->read(buffer, sizeof buffer).wait == Channel::Wait::readable));
  BOOST_TEST(!pair.client->end_sending().error);
  BOOST_TEST(pair.server->read(buffer, sizeof buffer).error == asio::error::eof);
}

BOOST_AUTO_TEST_CASE(one_direction_ends_and_the_other_goes_on) {
  Pair pair;
  BOOST_REQUIRE(pair.handshake());
  BOOST_TEST(!pair.client->end_sending().error);
  char buffer[10];
  BOOST_TEST(pair.server->read(buffer, sizeof buffer).error == asio::error::eof);
  BOOST_TEST(through(*pair.server, *pair.client, {asio::buffer("still", 5)}) == "still");
}

BOOST_AUTO_TEST_CASE(quiet_until_it_talks_or_ends) {
  for (const std::string what : {"talk", "end", "close"}) {
    Pair pair;
    BOOST_REQUIRE(pair.handshake());
    BOOST_TEST(pair.client->quiet());  // session tickets are there already
    BOOST_TEST(pair.client->quiet());
    asio::const_buffer piece("x", 1);
    if (what == "talk") BOOST_TEST(pair.server->write({&piece, 1}).bytes == 1u);
    if (what == "end") BOOST_TEST(!pair.server->end_sending().error);
    if (what == "close") pair.close_socket(0);
    BOOST_TEST(!pair.client->quiet(), what);
  }
}

BOOST_AUTO_TEST_CASE(names_and_addresses) {
  BOOST_TEST(Pair(listener(), upstream(), "127.0.0.1").handshake());
  BOOST_TEST(why_not(listener(), upstream(), "other.test") == "certificate verify failed: hostname mismatch");
  BOOST_TEST(why_not(listener(), upstream(), "127.0.0.2") ==
             "certificate verify failed: IP address mismatch");
  auto named = upstream();
  named.tls.server_name = "q.test";
  BOOST_TEST(Pair(listener(), named, "10.0.0.1").handshake());
  auto blind = upstream();
  blind.tls.verify = false;
  blind.tls.ca.clear();
  BOOST_TEST(Pair(listener(), blind, "other.test").handshake());
  auto stranger = upstream();
  stranger.tls.ca = certificates().file("client.pem");
  BOOST_TEST(why_not(listener(), stranger).starts_with("certificate verify failed: self-signed certificate"));
}

BOOST_AUTO_TEST_CASE(certificates_of_clients) {
  auto asking = listener();
  asking.client_ca = certificates().file("client.pem");
  auto showing = upstream();
  showing.tls.certificate = certificates().file("client.pem");
  showing.tls.key = certificates().file("client.key");
  auto showing_other = upstream();
  showing_other.tls.certificate = certificates().file("server.pem");
  showing_other.tls.key = certificates().file("server.key");
  for (const auto mode : {config::ClientCertificates::optional, config::ClientCertificates::required}) {
    asking.client_certificates = mode;
    BOOST_TEST(Pair(asking, showing).handshake());
    BOOST_TEST(Pair(asking, upstream()).handshake() == (mode == config::ClientCertificates::optional));
    BOOST_TEST(!Pair(asking, showing_other).handshake());
  }
  asking.client_certificates = config::ClientCertificates::off;
  BOOST_TEST(Pair(asking, showing_other).handshake());
}

BOOST_AUTO_TEST_CASE(versions) {
  auto newest = listener();
  newest.min_version = config::TlsVersion::v1_3;
  BOOST_TEST(Pair(newest, upstream()).handshake());
  auto newest_only = upstream();
  newest_only.tls.min_version = config::TlsVersion::v1_3;
  BOOST_TEST(Pair(listener(), newest_only).handshake());
}

BOOST_AUTO_TEST_CASE(sessions_are_offered_again) {
  const auto server = *tls::Context::for_clients(listener(), "proxy.tls");
  const auto client = *tls::Context::for_upstreams(upstream());
  const auto reloaded = *tls::Context::for_upstreams(upstream());
  tls::SessionSlot slot;
  for (const bool resumed : {false, true, true}) {
    Pair pair(server, client, "q.test", &slot);
    BOOST_REQUIRE(pair.handshake());
    BOOST_TEST(pair.client->resumed() == resumed);
    BOOST_TEST(pair.client->quiet());  // takes the tickets
  }
  Pair fresh(server, reloaded, "q.test", &slot);  // what was trusted may have changed
  BOOST_REQUIRE(fresh.handshake());
  BOOST_TEST(!fresh.client->resumed());
}

BOOST_AUTO_TEST_CASE(what_is_no_handshake) {
  const std::pair<std::string, bool> table[] = {{"GET / HTTP/1.1\r\n\r\n", true},
                                                {"DELETE /x HTTP/1.1\r\n", true},
                                                {"SSH-2.0-x\r\n", true},
                                                {std::string("\0\1\2\3\4\5\6\7", 8), false},
                                                {"\x16\x03\x01\xff\xff~~~~", false}};
  for (const auto& [bytes, plain] : table) {
    Pair pair;
    BOOST_REQUIRE(::write(pair.sockets[1], bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
    const auto step = pair.server->handshake();
    BOOST_TEST(!!step.error);
    BOOST_TEST(pair.server->met_plain_http() == plain);
    BOOST_TEST(!pair.server->why().empty());
    char buffer[100];
    const auto said = ::read(pair.sockets[1], buffer, sizeof buffer);
    if (plain) BOOST_TEST(said < 0);  // an alert would stand before the answer in plain text
  }
}

BOOST_AUTO_TEST_CASE(cut_at_every_byte_of_the_handshake) {
  // What a client says first, as it is on the wire.
  Pair whole;
  static_cast<void>(whole.client->handshake());
  std::string hello(4096, '\0');
  const auto size = ::read(whole.sockets[0], hello.data(), hello.size());
  BOOST_REQUIRE(size > 100);
  for (ssize_t n = 0; n < size; n += n < 20 ? 1 : 37) {
    Pair cut;
    BOOST_REQUIRE(::write(cut.sockets[1], hello.data(), static_cast<std::size_t>(n)) == n);
    if (n > 0) BOOST_TEST((cut.server->handshake().wait == Channel::Wait::readable));
    cut.close_socket(1);
    BOOST_TEST(!!cut.server->handshake().error);
    BOOST_TEST(cut.server->why() == "the connection was closed during the handshake");
  }
}

// The number of a closed socket is soon another's: an alert there would end a stranger's handshake.
BOOST_AUTO_TEST_CASE(nothing_goes_to_the_number_of_a_closed_socket) {
  Pair pair;
  BOOST_REQUIRE(pair.handshake());
  std::array<char, 4096> taken{};
  while (::recv(pair.sockets[1], taken.data(), taken.size(), MSG_DONTWAIT) > 0) {  // session tickets
  }
  pair.server->socket_closed();
  // The socket itself stays open here and stands for the stranger's.
  static_cast<void>(pair.server->end_sending());
  const std::array piece = {asio::const_buffer("late", 4)};
  BOOST_TEST(bool(pair.server->write(piece).error));
  char byte = 0;
  BOOST_TEST(bool(pair.server->read(&byte, 1).error));
  BOOST_TEST(!pair.server->quiet());
  BOOST_TEST(::recv(pair.sockets[1], taken.data(), taken.size(), MSG_DONTWAIT) == -1);
}

BOOST_AUTO_TEST_CASE(a_peer_that_is_gone) {
  Pair pair;
  BOOST_REQUIRE(pair.handshake());
  pair.close_socket(0);
  const std::string much(100'000, 'x');
  asio::const_buffer piece = asio::buffer(much);
  BOOST_TEST((pair.client->write({&piece, 1}).error == asio::error::broken_pipe));
  BOOST_TEST((pair.client->write({&piece, 1}).error == asio::error::broken_pipe));
  BOOST_TEST(!!pair.client->end_sending().error);
  BOOST_TEST(!pair.client->quiet());
}

BOOST_AUTO_TEST_SUITE_END()
