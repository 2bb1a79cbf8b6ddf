#include "proxy/service/hangups.hpp"

#include <signal.h>

#include <boost/test/unit_test.hpp>

namespace service = qrerank::proxy::service;

namespace {
volatile sig_atomic_t got = 0;
}

BOOST_AUTO_TEST_SUITE(hangups)

BOOST_AUTO_TEST_CASE(one_that_came_early_waits) {
  service::hold_hangups();
  ::raise(SIGHUP);  // the default is the end of the process
  ::signal(SIGHUP, [](int) { got = got + 1; });
  BOOST_TEST(got == 0);
  service::release_hangups();
  BOOST_TEST(got == 1);
  ::raise(SIGHUP);
  BOOST_TEST(got == 2);
  ::signal(SIGHUP, SIG_DFL);
}

BOOST_AUTO_TEST_SUITE_END()
