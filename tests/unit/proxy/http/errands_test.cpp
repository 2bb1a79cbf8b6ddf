// Which thread runs what. That a context may end before its errands do is shown by lookup_test.cpp.
#include "proxy/http/errands.hpp"

#include <signal.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/test/unit_test.hpp>
#include <thread>

using namespace qrerank::proxy;
namespace asio = http::asio;

BOOST_AUTO_TEST_SUITE(errands)

BOOST_AUTO_TEST_CASE(the_outcome_comes_back_to_the_thread_that_runs_the_context) {
  asio::io_context context;
  const auto work = asio::make_work_guard(context);
  std::thread::id sent;
  std::thread::id back;
  http::Errands(context).send([&]() -> http::Errands::Outcome {
    sent = std::this_thread::get_id();
    return [&] { back = std::this_thread::get_id(); };
  });
  context.run_one();
  BOOST_TEST((back == std::this_thread::get_id()));
  BOOST_TEST((sent != back && sent != std::thread::id()));
}

BOOST_AUTO_TEST_CASE(signals_are_for_other_threads) {
  asio::io_context context;
  const auto work = asio::make_work_guard(context);
  bool blocked = false;
  http::Errands(context).send([&]() -> http::Errands::Outcome {
    sigset_t mask;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    blocked = ::sigismember(&mask, SIGTERM) == 1 && ::sigismember(&mask, SIGHUP) == 1;
    return [] {};
  });
  context.run_one();
  BOOST_TEST(blocked);
  sigset_t own;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &own);
  BOOST_TEST(::sigismember(&own, SIGTERM) == 0);
}

BOOST_AUTO_TEST_SUITE_END()
