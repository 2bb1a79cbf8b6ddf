// When a name is looked up, with a resolver that answers when the test says so.
#include "proxy/upstream/addresses.hpp"

#include <boost/asio/error.hpp>
#include <boost/test/unit_test.hpp>

#include "tests/unit/proxy/upstream/coroutine_bench.hpp"

using namespace qrerank::proxy;
using namespace std::chrono_literals;
using upstream::Endpoints;
namespace asio = http::asio;

namespace {

Endpoints at(std::initializer_list<const char*> addresses) {
  Endpoints endpoints;
  for (const char* address : addresses) endpoints.emplace_back(asio::ip::make_address(address), 6333);
  return endpoints;
}

std::string text(const Endpoints& endpoints) {
  std::string text;
  for (const auto& endpoint : endpoints) text += (text.empty() ? "" : " ") + endpoint.address().to_string();
  return text;
}

constexpr auto kFresh = 30s;

struct Bench : upstream::CoroutineBench {
  explicit Bench(const std::string& host = "qdrant")
      : addresses(
            context.get_executor(),
            [this](const std::string& name, std::uint16_t port, upstream::FoundAddresses found) {
              BOOST_TEST(name == "qdrant");
              BOOST_TEST(port == 6333);
              ++lookups;
              pending = std::move(found);
            },
            {host, 6333}, kFresh, [this] { return now; }) {}

  auto get(http::Clock::duration time = 10s) { return begin(addresses.get(http::Clock::now() + time)); }
  std::string got() { return text(*finish(get())); }
  auto others(Endpoints failed) {
    return begin(addresses.others_than(std::move(failed), http::Clock::now() + 10s));
  }

  void answer(Endpoints found) { std::exchange(pending, {})({}, std::move(found)); }
  void fail(http::ErrorCode error = asio::error::host_not_found) { std::exchange(pending, {})(error, {}); }
  void learn(std::initializer_list<const char*> found) {
    auto waiting = get();
    settle();
    answer(at(found));
    BOOST_TEST(finish(std::move(waiting)).has_value());
  }

  int lookups = 0;
  http::Clock::time_point now = http::Clock::time_point() + 1h;
  upstream::FoundAddresses pending;
  upstream::Addresses addresses;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(addresses)

BOOST_AUTO_TEST_CASE(a_literal_is_never_looked_up) {
  Bench four("127.0.0.1");
  BOOST_TEST(four.got() == "127.0.0.1");
  BOOST_TEST(!four.finish(four.others(at({"127.0.0.1"}))));
  Bench six("[::1]");
  BOOST_TEST(six.got() == "::1");
  BOOST_TEST(four.lookups + six.lookups == 0);
}

BOOST_AUTO_TEST_CASE(all_who_wait_share_the_first_lookup) {
  Bench bench;
  auto one = bench.get();
  auto two = bench.get();
  bench.settle();
  BOOST_TEST((!bench.done(one) && !bench.done(two)));
  bench.answer(at({"::1", "127.0.0.1"}));
  BOOST_TEST(text(*bench.finish(std::move(one))) == "::1 127.0.0.1");
  BOOST_TEST(text(*bench.finish(std::move(two))) == "::1 127.0.0.1");
  BOOST_TEST(bench.got() == "::1 127.0.0.1");
  BOOST_TEST(bench.lookups == 1);
}

BOOST_AUTO_TEST_CASE(a_name_that_is_not_known_is_an_error_and_asked_for_again) {
  Bench bench;
  auto waiting = bench.get();
  bench.settle();
  bench.fail();
  BOOST_TEST(bench.finish(std::move(waiting)).error() == asio::error::host_not_found);
  bench.learn({"127.0.0.1"});
  BOOST_TEST(bench.got() == "127.0.0.1");
}

BOOST_AUTO_TEST_CASE(no_address_is_an_error_too) {
  Bench bench;
  auto waiting = bench.get();
  bench.settle();
  bench.answer({});
  BOOST_TEST(bench.finish(std::move(waiting)).error() == asio::error::host_not_found);
}

BOOST_AUTO_TEST_CASE(a_lookup_that_does_not_end_is_waited_for_until_the_limit) {
  Bench bench;
  BOOST_TEST(bench.finish(bench.get(5ms)).error() == asio::error::timed_out);
  bench.answer(at({"127.0.0.1"}));  // too late for that one
  BOOST_TEST(bench.got() == "127.0.0.1");
  BOOST_TEST(bench.lookups == 1);
}

BOOST_AUTO_TEST_CASE(old_addresses_are_used_while_they_are_looked_up_behind_it) {
  Bench bench;
  bench.learn({"127.0.0.1"});
  bench.now += kFresh - 1s;
  BOOST_TEST(bench.got() == "127.0.0.1");
  BOOST_TEST(bench.lookups == 1);
  bench.now += 1s;
  BOOST_TEST(bench.got() == "127.0.0.1");
  BOOST_TEST(bench.got() == "127.0.0.1");
  BOOST_TEST(bench.lookups == 2);
  bench.answer(at({"127.0.0.2"}));
  BOOST_TEST(bench.got() == "127.0.0.2");
  BOOST_TEST(bench.lookups == 2);
}

BOOST_AUTO_TEST_CASE(what_nobody_used_for_long_is_looked_up_before_it_is_used) {
  Bench bench;
  bench.learn({"127.0.0.1"});
  bench.now += 2 * kFresh;
  auto waiting = bench.get();
  bench.settle();
  BOOST_TEST(!bench.done(waiting));
  bench.answer(at({"127.0.0.2"}));
  BOOST_TEST(text(*bench.finish(std::move(waiting))) == "127.0.0.2");
}

BOOST_AUTO_TEST_CASE(what_is_known_stays_when_a_lookup_fails) {
  Bench bench;
  bench.learn({"127.0.0.1"});
  bench.now += 2 * kFresh;
  auto waiting = bench.get();
  bench.settle();
  bench.fail();
  BOOST_TEST(text(*bench.finish(std::move(waiting))) == "127.0.0.1");
  BOOST_TEST(bench.got() == "127.0.0.1");
  BOOST_TEST(bench.lookups == 2);
  bench.now += 1s;
  BOOST_TEST(bench.got() == "127.0.0.1");  // and asked for behind it
  BOOST_TEST(bench.lookups == 3);
}

BOOST_AUTO_TEST_CASE(a_lookup_that_hangs_does_not_keep_from_what_is_known) {
  Bench bench;
  bench.learn({"127.0.0.1"});
  bench.now += 2 * kFresh;
  BOOST_TEST(text(*bench.finish(bench.get(1h))) == "127.0.0.1");  // after a second's patience
  BOOST_TEST(text(*bench.finish(bench.get(1h))) == "127.0.0.1");  // nobody waits any more
  BOOST_TEST(bench.lookups == 2);
}

BOOST_AUTO_TEST_CASE(the_families_take_turns) {
  Bench bench;
  bench.learn({"::1", "::2", "::1", "::3", "127.0.0.1", "127.0.0.2"});
  BOOST_TEST(bench.got() == "::1 127.0.0.1 ::2 127.0.0.2 ::3");
  BOOST_TEST(text(upstream::interleaved({})).empty());
  BOOST_TEST(text(upstream::interleaved(at({"127.0.0.1", "127.0.0.2"}))) == "127.0.0.1 127.0.0.2");
  BOOST_TEST(text(upstream::interleaved(at({"127.0.0.1", "127.0.0.2", "::1"}))) == "127.0.0.1 ::1 127.0.0.2");
}

BOOST_AUTO_TEST_CASE(after_a_failure_it_is_looked_up_again_but_not_at_once) {
  Bench bench;
  bench.learn({"127.0.0.1"});
  BOOST_TEST(!bench.finish(bench.others(at({"127.0.0.1"}))));
  BOOST_TEST(bench.lookups == 1);
  bench.now += 1s;
  auto waiting = bench.others(at({"127.0.0.1"}));
  bench.settle();
  BOOST_TEST(!bench.done(waiting));
  bench.answer(at({"127.0.0.2"}));
  BOOST_TEST(text(*bench.finish(std::move(waiting))) == "127.0.0.2");
  // Who failed with the old ones later needs no lookup.
  BOOST_TEST(text(*bench.finish(bench.others(at({"127.0.0.1"})))) == "127.0.0.2");
  BOOST_TEST(bench.lookups == 2);
}

BOOST_AUTO_TEST_CASE(a_lookup_may_end_after_its_owner) {
  upstream::FoundAddresses late;
  {
    Bench bench;
    static_cast<void>(bench.finish(bench.get(1ms)));
    late = std::move(bench.pending);
  }
  late({}, at({"127.0.0.1"}));
}

BOOST_AUTO_TEST_CASE(the_system_knows_localhost_and_no_invalid_name) {
  upstream::CoroutineBench bench;
  const auto look_up = upstream::system_lookup(bench.context);
  upstream::Addresses local(bench.context.get_executor(), look_up, {"localhost", 6333}, 1h);
  const auto found = bench.run(local.get(http::Clock::now() + 10s));
  BOOST_REQUIRE(found.has_value());
  for (const auto& endpoint : *found) BOOST_TEST(endpoint.address().is_loopback());
  upstream::Addresses none(bench.context.get_executor(), look_up, {"no-such-name.invalid", 6333}, 1h);
  BOOST_TEST(!bench.run(none.get(http::Clock::now() + 10s)).has_value());
}

BOOST_AUTO_TEST_SUITE_END()
