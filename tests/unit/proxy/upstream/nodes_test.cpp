// Whose turn it is among nodes that are fit, ejected or down.
#include "proxy/upstream/nodes.hpp"

#include <boost/test/unit_test.hpp>
#include <thread>

using namespace qrerank::proxy;
using namespace std::chrono_literals;
using upstream::NodeSet;
using upstream::NodeState;
using Need = upstream::Nodes::Need;

namespace {

config::Upstream nodes(std::size_t count) {
  config::Upstream settings;
  settings.urls.clear();
  for (std::size_t i = 0; i < count; ++i) {
    const auto port = static_cast<std::uint16_t>(i + 1);
    settings.urls.push_back({"http://n" + std::to_string(i), {"n", port}});
  }
  settings.eject_failures = 1;
  settings.eject_time = 10s;
  return settings;
}

struct Cluster {
  explicit Cluster(std::size_t count, config::Balance balance = config::Balance::round_robin)
      : settings(nodes(count)) {
    settings.balance = balance;
    all.emplace(settings);
  }
  // The node's number, or -1.
  int pick(NodeSet tried = {}, Need need = Need::any) {
    const auto node = all->pick(last, tried, need, now);
    if (node) last = *node;
    return node ? static_cast<int>(*node) : -1;
  }
  // The next picks, "0120".
  std::string turns(int count) {
    std::string order;
    for (int i = 0; i < count; ++i) order += std::to_string(pick());
    return order;
  }
  void eject(std::size_t node) { all->failed(node, now); }
  void down(std::size_t node) { all->checked(node, false, "refused"); }

  config::Upstream settings;
  std::optional<upstream::Nodes> all;
  std::size_t last = 0;
  upstream::TimePoint now = upstream::TimePoint() + 1h;
};

NodeSet tried(std::initializer_list<std::size_t> nodes) {
  NodeSet set;
  for (const std::size_t node : nodes) set.add(node);
  return set;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(nodes_)

BOOST_AUTO_TEST_CASE(round_robin_skips_who_is_not_fit) {
  Cluster cluster(3);
  BOOST_TEST(cluster.turns(6) == "120120");
  cluster.eject(1);
  BOOST_TEST(cluster.turns(4) == "2020");
  cluster.down(0);
  BOOST_TEST(cluster.turns(3) == "222");
  BOOST_TEST(cluster.pick(tried({2}), Need::fit) == -1);
}

BOOST_AUTO_TEST_CASE(where_no_fit_one_is_left_an_ejected_one_is_tried_and_never_one_that_is_down) {
  Cluster cluster(3);
  cluster.eject(0);
  cluster.eject(1);
  cluster.down(2);
  BOOST_TEST(cluster.turns(4) == "1010");
  BOOST_TEST(cluster.pick(tried({0})) == 1);
  cluster.down(0);
  cluster.down(1);
  BOOST_TEST(cluster.pick() == -1);
}

BOOST_AUTO_TEST_CASE(a_single_node_is_always_tried) {
  Cluster cluster(1);
  cluster.down(0);
  cluster.eject(0);
  BOOST_TEST(cluster.pick() == 0);
  BOOST_TEST(cluster.pick({}, Need::fit) == 0);
  BOOST_TEST(cluster.pick(tried({0})) == -1);
  BOOST_TEST(cluster.all->status()[0].ejections == 0u);
  BOOST_TEST(cluster.all->status()[0].failures == 1u);
}

BOOST_AUTO_TEST_CASE(least_outstanding_takes_the_one_with_fewest_and_equal_ones_in_turn) {
  Cluster cluster(3, config::Balance::least_outstanding);
  BOOST_TEST(cluster.turns(3) == "120");
  cluster.all->begin(1);
  cluster.all->begin(1);
  cluster.all->begin(2);
  BOOST_TEST(cluster.turns(2) == "00");
  cluster.all->begin(0);
  cluster.all->begin(0);
  BOOST_TEST(cluster.pick() == 2);
  cluster.all->end(1);
  cluster.all->end(1);
  BOOST_TEST(cluster.pick() == 1);
  BOOST_TEST(cluster.pick(tried({1})) == 2);
}

BOOST_AUTO_TEST_CASE(on_trial_one_request_at_a_time) {
  Cluster cluster(2);
  cluster.eject(1);
  cluster.now += 9s;
  BOOST_TEST(cluster.turns(3) == "000");
  cluster.now += 1s;
  BOOST_TEST(cluster.pick() == 1);
  cluster.all->begin(1);
  BOOST_TEST(cluster.turns(3) == "000");
  cluster.all->passed(1, cluster.now);
  BOOST_TEST(cluster.turns(2) == "10");
  cluster.all->end(1);
}

BOOST_AUTO_TEST_CASE(changes_are_told_once) {
  Cluster cluster(2);
  std::string told;
  cluster.all->on_change([&](const std::string& url, NodeState from, NodeState to, const std::string& why) {
    told += url.substr(7) + " " + std::string(to_string(from)) + ">" + std::string(to_string(to)) +
            (why.empty() ? "" : " " + why) + "; ";
  });
  cluster.eject(1);
  cluster.eject(1);
  cluster.all->passed(0, cluster.now);
  cluster.now += 10s;
  cluster.all->passed(1, cluster.now);
  cluster.down(0);
  BOOST_TEST(told == "n1 up>ejected; n1 ejected>up; n0 up>down refused; ");
}

BOOST_AUTO_TEST_CASE(status_tells_what_the_checks_found) {
  Cluster cluster(2);
  auto status = cluster.all->status();
  BOOST_TEST(!status[0].reachable);
  BOOST_TEST(status[0].detail == "not checked yet");
  cluster.all->checked(0, true, "");
  cluster.all->checked(0, false, "refused");
  cluster.down(1);
  cluster.all->opened(0);
  status = cluster.all->status();
  BOOST_TEST(status[0].reachable);  // one failed check is not enough
  BOOST_TEST(status[0].detail == "refused");
  BOOST_TEST(status[0].connections == 1u);
  BOOST_TEST(!status[1].reachable);
  cluster.settings.health_interval = 0ms;
  cluster.all.emplace(cluster.settings);
  BOOST_TEST(cluster.all->status()[0].reachable);
}

// For the thread sanitizer: picks on some threads while health changes on another.
BOOST_AUTO_TEST_CASE(shared_by_threads) {
  Cluster cluster(3);
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&all = *cluster.all] {
      std::size_t last = 0;
      for (int i = 0; i < 2000; ++i) {
        const auto node = all.pick(last, {}, Need::any);
        if (!node) continue;
        last = *node;
        all.begin(last);
        if (i % 3 == 0) {
          all.failed(last);
        } else {
          all.passed(last);
        }
        all.end(last);
      }
    });
  }
  for (int i = 0; i < 500; ++i) {
    cluster.all->checked(static_cast<std::size_t>(i % 3), i % 2 == 0, "x");
    static_cast<void>(cluster.all->status());
  }
  for (auto& thread : threads) thread.join();
  for (const auto& status : cluster.all->status()) BOOST_TEST(status.outstanding == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
