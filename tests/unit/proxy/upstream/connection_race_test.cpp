// Which of several addresses is connected to, over real loopback sockets. An address that swallows attempts
// is a listener whose queue is full.
#include "proxy/upstream/connection_race.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/unit/proxy/upstream/loopback_bench.hpp"

using namespace qrerank::proxy;
using namespace std::chrono_literals;
namespace asio = http::asio;
using asio::ip::tcp;

namespace {

struct Bench : upstream::LoopbackBench {
  auto race(upstream::Endpoints endpoints, http::Clock::duration time = 10s,
            http::Clock::duration delay = upstream::kAttemptDelay) {
    return run(upstream::connect_to_first(context.get_executor(), std::move(endpoints),
                                          http::Clock::now() + time, delay));
  }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(connection_race)

BOOST_AUTO_TEST_CASE(the_first_address_wins_where_it_answers) {
  Bench bench;
  const auto six = bench.listen("::1");
  const auto four = bench.listen("127.0.0.1");
  const auto socket = bench.race({six, four}, 10s, 5s);
  BOOST_REQUIRE(socket.has_value());
  BOOST_TEST(socket->remote_endpoint() == six);
  bench.listeners.back().non_blocking(true);
  http::ErrorCode error;
  tcp::socket nobody(bench.context);
  bench.listeners.back().accept(nobody, error);
  BOOST_TEST(error == asio::error::would_block);  // the other one was not even tried
}

BOOST_AUTO_TEST_CASE(one_that_refuses_costs_no_delay) {
  Bench bench;
  const auto refusing = bench.refusing("::1");
  const auto four = bench.listen("127.0.0.1");
  const auto socket = bench.race({refusing, four}, 10s, 1h);  // the delay alone would not end
  BOOST_REQUIRE(socket.has_value());
  BOOST_TEST(socket->remote_endpoint() == four);
}

BOOST_AUTO_TEST_CASE(one_that_swallows_attempts_costs_the_delay_and_not_the_time) {
  Bench bench;
  const auto hole = bench.black_hole("127.0.0.2");
  const auto four = bench.listen("127.0.0.1");
  const auto socket = bench.race({hole, four}, 1h, 20ms);
  BOOST_REQUIRE(socket.has_value());
  BOOST_TEST(socket->remote_endpoint() == four);
}

BOOST_AUTO_TEST_CASE(several_black_holes_are_passed_one_after_the_other) {
  Bench bench;
  const auto one = bench.black_hole("127.0.0.2");
  const auto two = bench.black_hole("127.0.0.3");
  const auto refusing = bench.refusing("127.0.0.4");
  const auto six = bench.listen("::1");
  const auto socket = bench.race({one, two, refusing, six}, 1h, 20ms);
  BOOST_REQUIRE(socket.has_value());
  BOOST_TEST(socket->remote_endpoint() == six);
}

BOOST_AUTO_TEST_CASE(nothing_answers_in_time) {
  Bench bench;
  const auto hole = bench.black_hole("127.0.0.2");
  const auto refusing = bench.refusing("127.0.0.1");
  BOOST_TEST(bench.race({hole}, 50ms).error() == asio::error::timed_out);
  BOOST_TEST(bench.race({refusing, hole, refusing}, 50ms, 5ms).error() == asio::error::timed_out);
}

BOOST_AUTO_TEST_CASE(all_refuse) {
  Bench bench;
  const auto six = bench.refusing("::1");
  const auto four = bench.refusing("127.0.0.1");
  BOOST_TEST(bench.race({six, four}, 1h).error() == asio::error::connection_refused);
  BOOST_TEST(bench.race({}, 1h).error() == asio::error::host_not_found);
}

BOOST_AUTO_TEST_CASE(one_that_is_given_up_closes_what_it_began) {
  Bench bench;
  const auto hole = bench.black_hole("127.0.0.2");
  asio::cancellation_signal stop;
  bool ended = false;
  asio::co_spawn(
      bench.context.get_executor(),
      Bench::boxed(upstream::connect_to_first(bench.context.get_executor(), {hole}, http::Clock::now() + 1h)),
      asio::bind_cancellation_slot(stop.slot(), [&](const std::exception_ptr& thrown, auto) {
        BOOST_TEST(bool(thrown));
        ended = true;
      }));
  bench.settle();
  BOOST_TEST(!ended);
  stop.emit(asio::cancellation_type::terminal);
  bench.context.restart();
  bench.context.run();  // nothing is left that would keep it
  BOOST_TEST(ended);
}

BOOST_AUTO_TEST_SUITE_END()
