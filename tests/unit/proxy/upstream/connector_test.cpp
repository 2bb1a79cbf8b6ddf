// From a name with several addresses to a connection, with a resolver that says what the test wants.
#include "proxy/upstream/connector.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/unit/proxy/upstream/loopback_bench.hpp"

using namespace qrerank::proxy;
using namespace std::chrono_literals;
namespace asio = http::asio;
using upstream::UpstreamErrorKind;

namespace {

struct Bench : upstream::LoopbackBench {
  Bench() {
    config::Upstream settings;
    settings.urls = {{"http://qdrant:6333", {"qdrant", 6333}}};
    settings.resolve_interval = 1h;
    nodes.emplace(settings);
    connector.emplace(context, deadlines, *nodes,
                      [this](const std::string&, std::uint16_t, upstream::FoundAddresses found) {
                        ++lookups;
                        asio::post(context, [this, found = std::move(found)] { found(failure, addresses); });
                      });
  }
  upstream::ConnectResult connect(http::Clock::duration limit = 1h) {
    return run(connector->connect(0, limit));
  }
  // The address that it leads to.
  asio::ip::tcp::endpoint reached(http::Clock::duration limit = 1h) {
    auto connection = connect(limit);
    BOOST_REQUIRE(connection.has_value());
    return (*connection)->wire.socket().remote_endpoint();
  }

  http::Deadlines deadlines{context, 5ms};
  std::optional<upstream::Nodes> nodes;
  std::optional<upstream::Connector> connector;
  upstream::Endpoints addresses;
  http::ErrorCode failure;
  int lookups = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(connector)

BOOST_AUTO_TEST_CASE(the_families_are_tried_in_turn_and_the_first_that_answers_wins) {
  Bench bench;
  const auto four = bench.listen("127.0.0.1");
  bench.addresses = {bench.refusing("::1"), bench.black_hole("127.0.0.2"), four};
  BOOST_TEST(bench.reached() == four);
  BOOST_TEST(bench.reached() == four);
  BOOST_TEST(bench.lookups == 1);
}

BOOST_AUTO_TEST_CASE(a_connection_counts_at_its_node_while_it_lives) {
  Bench bench;
  bench.addresses = {bench.listen("127.0.0.1")};
  {
    const auto connection = bench.connect();
    BOOST_TEST(bench.nodes->status()[0].connections == 1u);
    BOOST_TEST((*connection)->name() == "http://qdrant:6333");
  }
  BOOST_TEST(bench.nodes->status()[0].connections == 0u);
}

BOOST_AUTO_TEST_CASE(a_node_that_moved_is_found_with_the_connection_that_fails) {
  Bench bench;
  bench.addresses = {bench.refusing("127.0.0.1")};
  const auto refused = bench.connect();
  BOOST_TEST((refused.error().kind == UpstreamErrorKind::connect_refused));
  BOOST_TEST(bench.lookups == 1);  // it was looked up just now
  const auto since = http::Clock::now();
  while (http::Clock::now() - since < 1s) bench.settle();
  const auto moved = bench.listen("127.0.0.3");
  bench.addresses = {moved};
  BOOST_TEST(bench.reached() == moved);
  BOOST_TEST(bench.lookups == 2);
}

BOOST_AUTO_TEST_CASE(what_failed_is_said) {
  Bench bench;
  bench.failure = asio::error::host_not_found;
  auto connection = bench.connect();
  BOOST_TEST((connection.error().kind == UpstreamErrorKind::connect_refused));
  BOOST_TEST(
      connection.error().message.starts_with("upstream http://qdrant:6333: cannot resolve the name: "));
  bench.failure = {};
  bench.addresses = {bench.black_hole("127.0.0.2")};
  connection = bench.connect(50ms);
  BOOST_TEST((connection.error().kind == UpstreamErrorKind::connect_timeout));
  BOOST_TEST(connection.error().message == "upstream http://qdrant:6333: cannot connect: timed out");
}

BOOST_AUTO_TEST_SUITE_END()
