#include <boost/test/unit_test.hpp>

#include "reranker/model_lifecycle.hpp"

namespace qrerank::reranker {
namespace {

using Arrival = ModelLifecycle::Arrival;
using std::chrono::seconds;

constexpr Clock::time_point kStart{seconds(1000)};

BOOST_AUTO_TEST_SUITE(model_lifecycle)

BOOST_AUTO_TEST_CASE(loads_once_however_many_ask) {
  ModelLifecycle model(seconds(30));
  BOOST_TEST((model.state() == ModelState::unloaded));
  BOOST_TEST((model.request_arrived(kStart) == Arrival::start_load));
  BOOST_TEST((model.request_arrived(kStart) == Arrival::wait));
  BOOST_TEST((model.state() == ModelState::loading));
  model.load_succeeded();
  BOOST_TEST((model.state() == ModelState::ready));
  BOOST_TEST((model.request_arrived(kStart) == Arrival::proceed));
}

BOOST_AUTO_TEST_CASE(a_failed_load_is_tried_again_after_the_back_off) {
  ModelLifecycle model(seconds(30));
  BOOST_TEST((model.request_arrived(kStart) == Arrival::start_load));
  model.load_failed("no such file", kStart);
  BOOST_TEST((model.state() == ModelState::failed));
  BOOST_TEST(model.detail() == "no such file");
  BOOST_TEST((model.request_arrived(kStart) == Arrival::refuse));
  BOOST_TEST((model.request_arrived(kStart + seconds(30) - Clock::duration(1)) == Arrival::refuse));
  BOOST_TEST((model.request_arrived(kStart + seconds(30)) == Arrival::start_load));
  BOOST_TEST((model.request_arrived(kStart + seconds(30)) == Arrival::wait));
  BOOST_TEST(model.detail() == "no such file");  // until a load succeeds
  model.load_succeeded();
  BOOST_TEST(model.detail() == "");
}

BOOST_AUTO_TEST_CASE(an_endless_back_off_does_not_overflow) {
  ModelLifecycle model(Clock::duration::max());
  BOOST_TEST((model.request_arrived(kStart) == Arrival::start_load));
  model.load_failed("x", kStart);
  BOOST_TEST((model.request_arrived(kStart + seconds(1'000'000)) == Arrival::refuse));
}

BOOST_AUTO_TEST_CASE(draining_is_for_good) {
  ModelLifecycle model(seconds(0));
  BOOST_TEST((model.request_arrived(kStart) == Arrival::start_load));
  model.drain();
  model.load_succeeded();
  BOOST_TEST((model.state() == ModelState::draining));
  model.load_failed("late", kStart);
  BOOST_TEST((model.state() == ModelState::draining));
  BOOST_TEST((model.request_arrived(kStart) == Arrival::refuse));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qrerank::reranker
