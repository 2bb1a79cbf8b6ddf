// What is told of a load under way: bytes read of bytes to read.
#include <boost/test/unit_test.hpp>

#include "tests/unit/reranker/manager/world.hpp"

namespace qrerank::reranker::manager {
namespace {

using Needs = std::vector<model::ReplicaNeed>;

constexpr std::uint64_t kFile = 100;  // bytes of one replica

struct Progress : World {
  Gate begun;
  Gate halfway;

  /// Two replicas; the second one waits before it reads and after the half, and leaves the last tenth unread.
  ModelSetup two() {
    ModelSetup its;
    its.name = "fake";
    its.source.needs = [] { return Needs{{"cuda:0", 5, "", kFile}, {"cuda:1", 5, "", kFile}}; };
    its.source.load = [this](const std::string& device, model::LoadProgress& progress)
        -> tl::expected<std::unique_ptr<model::Model>, model::LoadError> {
      const bool second = device == "cuda:1";
      if (second) begun.pass();
      progress.add(kFile / 2);
      if (second) halfway.pass();
      progress.add(kFile / 2 - kFile / 10);
      return std::make_unique<FakeModel>();
    };
    return its;
  }

  void check(std::uint64_t read, std::uint64_t total) {
    const auto now = status("fake").loading;
    BOOST_REQUIRE(now.has_value());
    BOOST_TEST(now->read == read);
    BOOST_TEST(now->total == total);
  }
};

BOOST_FIXTURE_TEST_SUITE(load_progress, Progress)

BOOST_AUTO_TEST_CASE(grows_over_the_replicas_and_is_gone_when_ready) {
  models.push_back(two());
  start();
  BOOST_TEST(!status("fake").loading.has_value());
  manager->load("fake");
  begun.arrived();
  check(kFile, 2 * kFile);  // a replica that is there counts whole
  begun.open();
  halfway.arrived();
  check(kFile + kFile / 2, 2 * kFile);
  halfway.open();
  witness.await("fake", ModelState::ready);
  BOOST_TEST(!status("fake").loading.has_value());
  stop();  // before what its models refer to goes
}

BOOST_AUTO_TEST_CASE(is_gone_after_a_failure_and_begins_anew) {
  models.push_back(two());
  models.back().source.load = [this, calls = 0](const std::string&, model::LoadProgress& progress) mutable
      -> tl::expected<std::unique_ptr<model::Model>, model::LoadError> {
    if (++calls > 1) begun.pass();
    progress.add(kFile / 2);
    return tl::make_unexpected(model::LoadError{"cut off"});
  };
  start();
  manager->load("fake");
  witness.await("fake", ModelState::failed);
  BOOST_TEST(!status("fake").loading.has_value());
  manager->load("fake");
  begun.arrived();
  check(0, 2 * kFile);
  begun.open();
  stop();  // before what its models refer to goes
}

BOOST_AUTO_TEST_CASE(is_nothing_yet_while_a_model_waits_for_room) {
  settings.memory_budget = 10;
  Gate held;
  models.push_back(
      setup("big", 10, {}, [&](FakeModel& model) { model.on_logits = [&](auto) { held.pass(); }; }));
  models.push_back(setup("fake", 10));
  models.back().source.needs = [] { return Needs{{"cpu", 10, "", kFile}}; };
  start();
  auto busy = ask("big");
  held.arrived();
  manager->load("fake");
  while (status("fake").detail.empty()) std::this_thread::yield();
  check(0, kFile);
  held.open();
  witness.await("fake", ModelState::ready);
  BOOST_TEST(!status("fake").loading.has_value());
  stop();  // before what its models refer to goes
}

BOOST_AUTO_TEST_CASE(is_not_told_where_there_are_no_files) {
  Gate gate;
  models.push_back(setup("fake", 1, [&] { gate.pass(); }));
  start();
  manager->load("fake");
  gate.arrived();
  BOOST_TEST(!status("fake").loading.has_value());
  gate.open();
  stop();  // before what its models refer to goes
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qrerank::reranker::manager
