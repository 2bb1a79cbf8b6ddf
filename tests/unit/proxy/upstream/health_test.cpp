// A node's health: events in, states out, with a clock turned by hand.
#include "proxy/upstream/health.hpp"

#include <boost/test/unit_test.hpp>

using namespace qrerank::proxy;
using namespace std::chrono_literals;
using upstream::Health;
using upstream::NodeState;

namespace {

config::Upstream settings() {
  config::Upstream settings;
  settings.health_rise = 2;
  settings.health_fall = 3;
  settings.eject_failures = 3;
  settings.eject_time = 10s;
  settings.eject_time_max = 35s;
  return settings;
}

const upstream::TimePoint kStart = upstream::TimePoint() + 1h;

struct Node {
  config::Upstream config = settings();
  Health health{config};
  upstream::TimePoint now = kStart;

  void fail(int times) {
    for (int i = 0; i < times; ++i) health.failed(now);
  }
  void check(std::initializer_list<bool> results) {
    for (const bool passed : results) health.checked(passed);
  }
  // How long the ejection that just began lasts.
  std::chrono::seconds ejected_for() const {
    BOOST_TEST((health.state() == NodeState::ejected));
    return std::chrono::duration_cast<std::chrono::seconds>(health.ejected_until() - now);
  }
  bool up() const { return health.state() == NodeState::up; }
  bool down() const { return health.state() == NodeState::down; }
};

}  // namespace

BOOST_AUTO_TEST_SUITE(health)

BOOST_AUTO_TEST_CASE(a_node_is_up_until_something_speaks_against_it) {
  BOOST_TEST(Node().up());
  BOOST_TEST(!Node().health.failing());
}

BOOST_AUTO_TEST_CASE(the_first_check_decides_at_once) {
  Node node;
  node.check({false});
  BOOST_TEST(node.down());
}

BOOST_AUTO_TEST_CASE(checks_count_in_a_row_both_ways) {
  Node node;
  node.check({true, false, false, true, false, false});
  BOOST_TEST(node.up());
  node.check({false});
  BOOST_TEST(node.down());
  node.check({true, false, true});
  BOOST_TEST(node.down());
  node.check({true});
  BOOST_TEST(node.up());
  node.check({false, false});
  BOOST_TEST(node.up());
}

BOOST_AUTO_TEST_CASE(failures_in_a_row_eject_and_a_success_between_them_does_not_count) {
  Node node;
  node.fail(2);
  BOOST_TEST(node.health.failing());
  node.health.passed(node.now);
  BOOST_TEST(!node.health.failing());
  node.fail(2);
  BOOST_TEST(node.up());
  node.fail(1);
  BOOST_TEST(node.ejected_for().count() == 10);
  BOOST_TEST(node.health.ejections() == 1u);
}

BOOST_AUTO_TEST_CASE(what_was_under_way_when_it_was_ejected_changes_nothing) {
  Node node;
  node.fail(20);
  node.now += 9s;
  node.fail(20);
  node.health.passed(node.now);
  BOOST_TEST(node.ejected_for().count() == 1);
  BOOST_TEST(node.health.ejections() == 1u);
}

BOOST_AUTO_TEST_CASE(a_success_on_trial_brings_it_back) {
  Node node;
  node.fail(3);
  node.now += 10s;
  BOOST_TEST((node.health.state() == NodeState::ejected));
  node.health.passed(node.now);
  BOOST_TEST(node.up());
  node.fail(2);  // the count began anew
  BOOST_TEST(node.up());
}

BOOST_AUTO_TEST_CASE(each_failed_trial_doubles_the_time_up_to_its_bound) {
  Node node;
  node.fail(3);
  for (const int expected : {20, 35, 35}) {
    node.now = node.health.ejected_until();
    node.fail(1);
    BOOST_TEST(node.ejected_for().count() == expected);
  }
  BOOST_TEST(node.health.ejections() == 4u);
}

BOOST_AUTO_TEST_CASE(the_time_grows_on_when_it_fails_again_soon_and_begins_small_after_a_good_time) {
  Node node;
  node.fail(3);
  node.now += 10s;
  node.health.passed(node.now);
  node.now += 10s;
  node.fail(3);
  BOOST_TEST(node.ejected_for().count() == 20);
  node.now += 20s;
  node.health.passed(node.now);
  node.now += 21s;
  node.fail(3);
  BOOST_TEST(node.ejected_for().count() == 10);
}

BOOST_AUTO_TEST_CASE(a_first_time_longer_than_the_longest_is_the_longest) {
  Node node;
  node.config.eject_time = 100s;
  node.fail(3);
  BOOST_TEST(node.ejected_for().count() == 35);
}

BOOST_AUTO_TEST_CASE(no_count_no_ejection) {
  Node node;
  node.config.eject_failures = 0;
  node.fail(1000);
  BOOST_TEST(node.up());
  BOOST_TEST(!node.health.failing());
}

BOOST_AUTO_TEST_CASE(checks_outrank_requests_and_neither_undoes_the_other) {
  Node node;
  node.fail(3);
  node.check({false});
  BOOST_TEST(node.down());
  node.check({true, true});
  BOOST_TEST(node.ejected_for().count() == 10);
}

BOOST_AUTO_TEST_SUITE_END()
