// The system's lookup and the contexts that end before it. When names are looked up: addresses_test.cpp.
#include "proxy/upstream/lookup.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>

using namespace qrerank::proxy;
namespace asio = http::asio;

BOOST_AUTO_TEST_SUITE(lookup)

BOOST_AUTO_TEST_CASE(it_calls_back_on_the_thread_that_runs_the_context) {
  asio::io_context context;
  const auto work = asio::make_work_guard(context);
  std::thread::id told_by;
  upstream::Endpoints told;
  upstream::system_lookup(context)("127.0.0.1", 6333, [&](http::ErrorCode, upstream::Endpoints found) {
    told_by = std::this_thread::get_id();
    told = std::move(found);
  });
  context.run_one();
  BOOST_TEST((told_by == std::this_thread::get_id()));
  BOOST_REQUIRE(told.size() == 1u);
  BOOST_TEST(told.front().port() == 6333);
}

// Sanitizers would tell.
BOOST_AUTO_TEST_CASE(a_context_may_end_at_any_moment_of_it) {
  for (int round = 0; round < 100; ++round) {
    asio::io_context context;
    const auto look_up = upstream::system_lookup(context);
    look_up("127.0.0.1", 6333, [](http::ErrorCode, upstream::Endpoints) {});
    for (int turns = 0; turns < round; ++turns) std::this_thread::yield();
  }
}

BOOST_AUTO_TEST_SUITE_END()
