#include "proxy/selection/metadata_cache.hpp"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

using namespace qrerank::proxy::selection;
using namespace std::chrono_literals;

namespace {

constexpr MetadataCache::Clock::time_point kStart{1h};

MetadataKey key(std::vector<std::string_view> parts) {
  return metadata_key(parts);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(metadata_cache)

BOOST_AUTO_TEST_CASE(keys_tell_everything_apart) {
  BOOST_TEST((key({"/collections/a", "api-key", "k"}) == key({"/collections/a", "api-key", "k"})));
  BOOST_TEST((key({"/collections/a", "api-key", "k"}) != key({"/collections/a", "api-key", "l"})));
  BOOST_TEST((key({"/collections/a"}) != key({"/collections/a", ""})));
  BOOST_TEST((key({"ab", "c"}) != key({"a", "bc"})));
  BOOST_TEST((key({"1:a"}) != key({"", "a"})));
}

BOOST_AUTO_TEST_CASE(an_answer_holds_until_its_time) {
  MetadataCache cache;
  BOOST_TEST(cache.find(key({"a"}), kStart, 1s).due);
  BOOST_TEST(cache.find(key({"a"}), kStart, 1s).due);  // nobody has an answer yet: each must ask
  cache.store(key({"a"}), "m", kStart + 60s);
  auto found = cache.find(key({"a"}), kStart + 59s, 1s);
  BOOST_TEST(!found.due);
  BOOST_TEST(found.embedding.value() == "m");
  BOOST_TEST(cache.find(key({"b"}), kStart, 1s).due);
  // Out of date: one asks, the others go on with what was said.
  found = cache.find(key({"a"}), kStart + 60s, 5s);
  BOOST_TEST(found.due);
  BOOST_TEST(found.embedding.value() == "m");
  found = cache.find(key({"a"}), kStart + 61s, 5s);
  BOOST_TEST(!found.due);
  BOOST_TEST(found.embedding.value() == "m");
  // Whoever asked did not come back: the next one asks.
  BOOST_TEST(cache.find(key({"a"}), kStart + 65s, 5s).due);
}

BOOST_AUTO_TEST_CASE(no_model_is_an_answer) {
  MetadataCache cache;
  cache.store(key({"a"}), std::nullopt, kStart + 60s);
  const auto found = cache.find(key({"a"}), kStart, 1s);
  BOOST_TEST(!found.due);
  BOOST_TEST(!found.embedding.has_value());
}

BOOST_AUTO_TEST_CASE(a_failure_keeps_what_is_known) {
  MetadataCache cache;
  cache.store(key({"a"}), "m", kStart);
  cache.keep(key({"a"}), kStart + 30s);
  BOOST_TEST(cache.find(key({"a"}), kStart + 29s, 1s).embedding.value() == "m");
  BOOST_TEST(!cache.find(key({"a"}), kStart + 29s, 1s).due);
  cache.keep(key({"b"}), kStart + 30s);
  BOOST_TEST(!cache.find(key({"b"}), kStart + 29s, 1s).embedding.has_value());
  BOOST_TEST(!cache.find(key({"b"}), kStart + 29s, 1s).due);
  BOOST_TEST(cache.find(key({"b"}), kStart + 30s, 1s).due);
}

BOOST_AUTO_TEST_CASE(bounded) {
  MetadataCache cache(3);
  cache.store(key({"long"}), "m", kStart + 100s);
  for (int i = 0; i < 100; ++i) {
    const auto name = std::to_string(i);
    cache.keep(key({name}), kStart + 30s);  // such as a stranger's keys: they push out one another
    BOOST_TEST(cache.size() <= 3u);
  }
  BOOST_TEST(!cache.find(key({"long"}), kStart, 1s).due);
  cache.store(key({"long"}), "n", kStart + 100s);
  BOOST_TEST(cache.size() == 3u);
  MetadataCache least(0);
  least.store(key({"a"}), "m", kStart + 1s);
  BOOST_TEST(least.size() == 1u);
}

// For the sanitizers.
BOOST_AUTO_TEST_CASE(used_by_many_threads) {
  MetadataCache cache(8);
  std::atomic<bool> mixed_up = false;  // Boost.Test's own checks are for one thread
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&cache, &mixed_up, t] {
      for (int i = 0; i < 2000; ++i) {
        const auto name = std::to_string((i + t) % 12);
        const auto now = kStart + std::chrono::milliseconds(i);
        const auto found = cache.find(key({name}), now, 1ms);
        if (!found.due) {
          if (found.embedding != name) mixed_up = true;
        } else {
          cache.store(key({name}), name, now + 3ms);
        }
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  BOOST_TEST(!mixed_up);
  BOOST_TEST(cache.size() <= 8u);
}

BOOST_AUTO_TEST_SUITE_END()
