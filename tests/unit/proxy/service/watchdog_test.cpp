#include "proxy/service/watchdog.hpp"

#include <boost/test/unit_test.hpp>

namespace service = qrerank::proxy::service;
using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(watchdog)

BOOST_AUTO_TEST_CASE(it_asks_until_it_is_stopped) {
  boost::asio::io_context io;
  int asked = 0;
  service::Watchdog* running = nullptr;
  service::Watchdog watchdog(io, 1ms, [&] {
    if (++asked == 3) running->stop();
  });
  running = &watchdog;
  io.run();  // ends only if stop() left nothing behind
  BOOST_TEST(asked == 3);
}

BOOST_AUTO_TEST_CASE(it_does_not_ask_where_nobody_watches) {
  boost::asio::io_context io;
  int asked = 0;
  service::Watchdog watchdog(io, std::nullopt, [&] { ++asked; });
  io.run();
  BOOST_TEST(asked == 0);
}

BOOST_AUTO_TEST_SUITE_END()
