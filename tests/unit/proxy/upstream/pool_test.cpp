// Leases and limits over real loopback sockets; no upstream speaks here.
#include "proxy/upstream/pool.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/asio/write.hpp>
#include <boost/test/unit_test.hpp>
#include <thread>

#include "proxy/upstream/pooled_client.hpp"

using namespace qrerank::proxy;
namespace asio = http::asio;
using asio::ip::tcp;

namespace {

struct Bench {
  Bench() : acceptor(context.get_executor(), tcp::endpoint(asio::ip::address_v4::loopback(), 0)) {
    config.urls = {{"http://u", {"127.0.0.1", acceptor.local_endpoint().port()}}};
    config.connect_timeout = std::chrono::seconds(5);
  }

  template <class T>
  T run(http::Awaitable<T> coroutine) {
    auto future = asio::co_spawn(context.get_executor(), std::move(coroutine), asio::use_future);
    context.restart();
    while (future.wait_for(std::chrono::seconds(0)) != std::future_status::ready) context.run_one();
    return future.get();
  }

  upstream::Pool& make_pool() {
    pool.reset();
    nodes.emplace(config);
    return pool.emplace(context, deadlines, *nodes);
  }

  // As a new request's first step, and as its second.
  upstream::Lease take_idle() {
    upstream::Visit visit;
    return pool->take_idle(visit);
  }
  upstream::LeaseResult connect() {
    upstream::Visit visit;
    visit.node = 0;
    return run(pool->connect(visit));
  }

  tcp::socket accepted() { return tcp::socket(acceptor.accept(plain)); }

  asio::io_context context{1};
  asio::io_context plain;
  http::Deadlines deadlines{context, std::chrono::milliseconds(5)};
  asio::basic_socket_acceptor<tcp, http::Executor> acceptor;
  config::Upstream config;
  std::optional<upstream::Nodes> nodes;
  std::optional<upstream::Pool> pool;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(pool)

BOOST_AUTO_TEST_CASE(a_kept_lease_returns_and_a_dropped_one_closes) {
  Bench bench;
  upstream::Pool& pool = bench.make_pool();
  BOOST_TEST(!bench.take_idle());
  {
    auto lease = bench.connect();
    BOOST_REQUIRE(lease.has_value());
    BOOST_TEST(!(*lease)->reused);
    lease->keep();
  }
  auto peer = bench.accepted();
  BOOST_TEST(pool.idle() == 1u);
  {
    upstream::Lease lease = bench.take_idle();
    BOOST_REQUIRE(lease);
    BOOST_TEST(lease->reused);
    BOOST_TEST(pool.idle() == 0u);
  }
  BOOST_TEST(pool.idle() == 0u);
  char byte;
  boost::system::error_code error;
  peer.read_some(asio::buffer(&byte, 1), error);
  BOOST_TEST(error == asio::error::eof);
}

BOOST_AUTO_TEST_CASE(a_connection_that_ended_or_talks_is_not_reused) {
  for (const bool talk : {false, true}) {
    Bench bench;
    upstream::Pool& pool = bench.make_pool();
    bench.connect()->keep();
    auto peer = bench.accepted();
    if (talk) {
      asio::write(peer, asio::buffer("x", 1));
    } else {
      peer.close();
    }
    BOOST_TEST(!bench.take_idle());
    BOOST_TEST(pool.idle() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(leftover_bytes_and_a_full_pool_are_not_kept) {
  Bench bench;
  bench.config.max_idle_connections = 1;
  upstream::Pool& pool = bench.make_pool();
  {
    auto dirty = bench.connect();
    (*dirty)->buffer.commit(1);
    dirty->keep();
  }
  BOOST_TEST(pool.idle() == 0u);
  {
    auto one = bench.connect();
    auto two = bench.connect();
    one->keep();
    two->keep();
  }
  BOOST_TEST(pool.idle() == 1u);
  pool.shut();
  BOOST_TEST(pool.idle() == 0u);
  bench.connect()->keep();
  BOOST_TEST(pool.idle() == 0u);
}

BOOST_AUTO_TEST_CASE(idle_connections_expire) {
  Bench bench;
  bench.config.keep_alive_timeout = std::chrono::milliseconds(20);
  upstream::Pool& pool = bench.make_pool();
  bench.connect()->keep();
  bench.context.restart();
  while (pool.idle() > 0) bench.context.run_one();
  BOOST_TEST(pool.idle() == 0u);
}

BOOST_AUTO_TEST_CASE(a_connection_ends_with_its_last_request) {
  Bench bench;
  bench.config.keep_alive_requests = 2;
  upstream::Pool& pool = bench.make_pool();
  bench.connect()->keep();
  BOOST_TEST(pool.idle() == 1u);
  bench.take_idle().keep();
  BOOST_TEST(pool.idle() == 0u);
}

BOOST_AUTO_TEST_CASE(a_connection_ends_with_its_time) {
  Bench bench;
  bench.config.keep_alive_time = std::chrono::milliseconds(20);
  upstream::Pool& pool = bench.make_pool();
  auto lease = bench.connect();
  while (http::Clock::now() - (*lease)->opened < bench.config.keep_alive_time) bench.context.poll();
  lease->keep();
  lease->end();
  BOOST_TEST(pool.idle() == 0u);
  bench.config.keep_alive_time = std::chrono::milliseconds(0);
  upstream::Pool& lasting = bench.make_pool();
  bench.connect()->keep();
  BOOST_TEST(lasting.idle() == 1u);
}

BOOST_AUTO_TEST_CASE(names_are_resolved_and_bad_ones_refused) {
  Bench bench;
  bench.config.urls[0].address.host = "localhost";
  upstream::Pool& pool = bench.make_pool();
  BOOST_TEST(bench.connect().has_value());
  BOOST_TEST(pool.idle() == 0u);
  bench.config.urls[0].address.host = "no-such-name.invalid";
  bench.make_pool();
  const auto lease = bench.connect();
  BOOST_REQUIRE(!lease);
  BOOST_TEST((lease.error().kind == upstream::UpstreamErrorKind::connect_refused));
}

BOOST_AUTO_TEST_CASE(an_answer_over_the_limit_is_refused) {
  for (const std::string answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n12345678901",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n12345678901"}) {
    Bench bench;
    bench.config.max_response_body = 10;
    upstream::Pool& pool = bench.make_pool();
    upstream::PooledClient client(pool);
    bench.connect()->keep();
    auto peer = bench.accepted();
    {
      // What the peer says early would make the idle connection look bad, so it waits for the request.
      std::thread serving([&peer, &answer] {
        char request[4096];
        peer.read_some(asio::buffer(request));
        asio::write(peer, asio::buffer(answer));
      });
      upstream::Request request{.method = "POST", .target = "/", .fields = {}, .body = "x"};
      const auto result =
          bench.run(client.exchange(std::move(request), http::Clock::now() + std::chrono::seconds(5)));
      serving.join();
      BOOST_REQUIRE(!result);
      BOOST_TEST((result.error().kind == upstream::UpstreamErrorKind::too_large));
    }
    BOOST_TEST(pool.idle() == 0u);
  }
}

BOOST_AUTO_TEST_CASE(an_exchange_ends_at_its_deadline) {
  Bench bench;
  upstream::Pool& pool = bench.make_pool();
  upstream::PooledClient client(pool);
  upstream::Request request{.method = "POST", .target = "/", .fields = {}, .body = "x"};
  const auto result =
      bench.run(client.exchange(std::move(request), http::Clock::now() + std::chrono::milliseconds(20)));
  BOOST_REQUIRE(!result);
  BOOST_TEST((result.error().kind == upstream::UpstreamErrorKind::timeout));
}

BOOST_AUTO_TEST_SUITE_END()
