#include "proxy/service/descriptors.hpp"

#include <sys/resource.h>

#include <boost/test/unit_test.hpp>

namespace service = qrerank::proxy::service;

BOOST_AUTO_TEST_SUITE(descriptors)

BOOST_AUTO_TEST_CASE(two_for_each_client_and_some_for_the_rest) {
  qrerank::proxy::config::Config config;
  config.proxy.max_connections = 1000;
  const auto needed = service::needed_descriptors(config);
  BOOST_TEST(needed > 2000u);
  BOOST_TEST(needed < 3000u);
  config.relays.resize(2);
  for (auto& relay : config.relays) relay.max_connections = 100;
  BOOST_TEST(service::needed_descriptors(config) == needed + 400);
  config.proxy.max_connections = 4'000'000'000;
  BOOST_TEST(service::needed_descriptors(config) > 8'000'000'000u);
}

BOOST_AUTO_TEST_CASE(the_soft_limit_rises_to_the_hard_one) {
  rlimit before{};
  BOOST_TEST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  BOOST_TEST_REQUIRE(before.rlim_max > 64u);
  rlimit low = before;
  low.rlim_cur = 64;
  BOOST_TEST_REQUIRE(::setrlimit(RLIMIT_NOFILE, &low) == 0);
  const auto raised = service::raise_descriptor_limit();
  rlimit after{};
  BOOST_TEST_REQUIRE(::getrlimit(RLIMIT_NOFILE, &after) == 0);
  BOOST_TEST(after.rlim_cur == before.rlim_max);
  BOOST_TEST(raised >= after.rlim_cur);
  BOOST_TEST(::setrlimit(RLIMIT_NOFILE, &before) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
