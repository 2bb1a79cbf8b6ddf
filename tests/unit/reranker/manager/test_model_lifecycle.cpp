#include <boost/test/unit_test.hpp>

#include "reranker/manager/model_lifecycle.hpp"

namespace qrerank::reranker::manager {
namespace {

using Arrival = ModelLifecycle::Arrival;
using std::chrono::seconds;

constexpr Clock::time_point kStart{seconds(1000)};
constexpr auto kUnavailable = ScoreFailure::model_unavailable;

BOOST_AUTO_TEST_SUITE(model_lifecycle)

BOOST_AUTO_TEST_CASE(loads_once_however_many_ask) {
  ModelLifecycle model(seconds(30));
  BOOST_TEST((model.state() == ModelState::unloaded));
  BOOST_TEST((model.request_arrived(kStart) == Arrival::start_load));
  BOOST_TEST((model.request_arrived(kStart) == Arrival::wait));
  BOOST_TEST((model.load_ordered() == Arrival::wait));
  BOOST_TEST((model.state() == ModelState::loading));
  model.load_succeeded();
  BOOST_TEST((model.state() == ModelState::ready));
  BOOST_TEST((model.request_arrived(kStart) == Arrival::proceed));
  BOOST_TEST((model.load_ordered() == Arrival::proceed));
}

BOOST_AUTO_TEST_CASE(a_failed_load_is_tried_again_after_the_back_off) {
  ModelLifecycle model(seconds(30));
  BOOST_TEST((model.request_arrived(kStart) == Arrival::start_load));
  model.load_failed(ScoreFailure::out_of_memory, "too large", kStart);
  BOOST_TEST((model.state() == ModelState::failed));
  BOOST_TEST(model.detail() == "too large");
  BOOST_TEST((model.request_arrived(kStart) == Arrival::refuse));
  BOOST_TEST((model.refusal().failure == ScoreFailure::out_of_memory));
  BOOST_TEST(model.refusal().message == "too large");
  BOOST_TEST((model.request_arrived(kStart + seconds(30) - Clock::duration(1)) == Arrival::refuse));
  BOOST_TEST((model.request_arrived(kStart + seconds(30)) == Arrival::start_load));
  BOOST_TEST((model.request_arrived(kStart + seconds(30)) == Arrival::wait));
  BOOST_TEST(model.detail() == "too large");  // until a load succeeds
  model.load_succeeded();
  BOOST_TEST(model.detail() == "");
}

BOOST_AUTO_TEST_CASE(an_order_does_not_wait_for_the_back_off) {
  ModelLifecycle model(seconds(30));
  BOOST_TEST((model.load_ordered() == Arrival::start_load));
  model.load_failed(kUnavailable, "no such file", kStart);
  BOOST_TEST((model.load_ordered() == Arrival::start_load));
  model.load_failed(kUnavailable, "no such file", kStart);
  BOOST_TEST(!model.unload());  // nothing to drain, but the failure is forgotten
  BOOST_TEST((model.state() == ModelState::unloaded));
  BOOST_TEST(model.detail() == "");
  BOOST_TEST((model.request_arrived(kStart) == Arrival::start_load));
}

BOOST_AUTO_TEST_CASE(an_endless_back_off_does_not_overflow) {
  ModelLifecycle model(Clock::duration::max());
  BOOST_TEST((model.request_arrived(kStart) == Arrival::start_load));
  model.load_failed(kUnavailable, "x", kStart);
  BOOST_TEST((model.request_arrived(kStart + seconds(1'000'000)) == Arrival::refuse));
}

BOOST_AUTO_TEST_CASE(drains_and_comes_back_when_asked_meanwhile) {
  ModelLifecycle model(seconds(0));
  BOOST_TEST(!model.unload());
  BOOST_TEST((model.request_arrived(kStart) == Arrival::start_load));
  BOOST_TEST(!model.unload());  // loading
  BOOST_TEST((model.state() == ModelState::loading));
  model.load_succeeded();
  BOOST_TEST(model.unload());
  BOOST_TEST((model.state() == ModelState::draining));
  BOOST_TEST(!model.unload());
  BOOST_TEST(!model.drained());
  BOOST_TEST((model.state() == ModelState::unloaded));

  BOOST_TEST((model.request_arrived(kStart) == Arrival::start_load));
  model.load_succeeded();
  BOOST_TEST(model.unload());
  BOOST_TEST((model.request_arrived(kStart) == Arrival::wait));
  BOOST_TEST((model.request_arrived(kStart) == Arrival::wait));
  BOOST_TEST(model.drained());
  BOOST_TEST((model.state() == ModelState::loading));
  model.load_abandoned();
  BOOST_TEST((model.state() == ModelState::unloaded));
}

BOOST_AUTO_TEST_CASE(closing_is_for_good) {
  ModelLifecycle model(seconds(0));
  BOOST_TEST((model.request_arrived(kStart) == Arrival::start_load));
  model.close();
  model.load_succeeded();
  BOOST_TEST((model.state() == ModelState::draining));
  model.load_failed(kUnavailable, "late", kStart);
  model.load_abandoned();
  BOOST_TEST(!model.drained());
  BOOST_TEST((model.state() == ModelState::draining));
  BOOST_TEST((model.request_arrived(kStart) == Arrival::refuse));
  BOOST_TEST((model.load_ordered() == Arrival::refuse));
  BOOST_TEST((model.refusal().failure == kUnavailable));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qrerank::reranker::manager
