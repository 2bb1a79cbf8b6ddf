#include <boost/test/unit_test.hpp>
#include <limits>
#include <set>
#include <string>
#include <thread>

#include "reranker/score_cache.hpp"

namespace qrerank::reranker {
namespace {

ScoreKey key(std::string_view text) {
  return ScoreKeyMaker("m", "1", "i", "q").key(text);
}

std::optional<double> find(ScoreCache& cache, std::string_view text) {
  const ScoreKey keys[] = {key(text)};
  return cache.find(keys).at(0);
}

void insert(ScoreCache& cache, std::string_view text, double logit) {
  const ScoreKey keys[] = {key(text)};
  const double logits[] = {logit};
  cache.insert(keys, logits);
}

BOOST_AUTO_TEST_SUITE(score_cache)

BOOST_AUTO_TEST_CASE(every_part_and_its_borders_count) {
  std::set<ScoreKey> keys;
  keys.insert(ScoreKeyMaker("m", "1", "i", "q").key("t"));
  keys.insert(ScoreKeyMaker("M", "1", "i", "q").key("t"));
  keys.insert(ScoreKeyMaker("m", "2", "i", "q").key("t"));
  keys.insert(ScoreKeyMaker("m", "1", "j", "q").key("t"));
  keys.insert(ScoreKeyMaker("m", "1", "i", "p").key("t"));
  keys.insert(ScoreKeyMaker("m", "1", "i", "q").key("u"));
  keys.insert(ScoreKeyMaker("m1", "", "i", "q").key("t"));
  keys.insert(ScoreKeyMaker("m", "1", "", "iq").key("t"));
  keys.insert(ScoreKeyMaker("m", "1", "i", "").key("qt"));
  keys.insert(ScoreKeyMaker("m", "1", "i", "qt").key(""));
  BOOST_TEST(keys.size() == 10U);
}

BOOST_AUTO_TEST_CASE(a_maker_gives_the_same_key_again_and_the_published_digest) {
  ScoreKeyMaker maker("m", "1", "i", "q");
  const ScoreKey first = maker.key("a");
  BOOST_TEST((maker.key("b") != first));
  BOOST_TEST((maker.key("a") == first));
  // sha256 of forty zero bytes: five empty parts, nothing but their lengths.
  const ScoreKey empty = ScoreKeyMaker("", "", "", "").key("");
  BOOST_TEST(empty[0] == 0x2c);
  BOOST_TEST(empty[1] == 0x34);
  BOOST_TEST(empty[31] == 0xeb);
}

BOOST_AUTO_TEST_CASE(keeps_what_was_put_in) {
  ScoreCache cache;
  BOOST_TEST(!find(cache, "a").has_value());
  insert(cache, "a", 1.5);
  insert(cache, "b", -2);
  BOOST_TEST(find(cache, "a").value() == 1.5);
  BOOST_TEST(find(cache, "b").value() == -2.0);
  insert(cache, "a", 3);
  BOOST_TEST(find(cache, "a").value() == 3.0);
  const auto counters = cache.counters();
  BOOST_TEST(counters.hits == 3U);
  BOOST_TEST(counters.misses == 1U);
  BOOST_TEST(counters.entries == 2U);
  BOOST_TEST(counters.bytes == 2 * ScoreCache::kEntryBytes);
}

BOOST_AUTO_TEST_CASE(least_recently_used_goes_first_and_bytes_stay_bounded) {
  ScoreCache cache(3 * ScoreCache::kEntryBytes + ScoreCache::kEntryBytes - 1);
  for (const auto* text : {"a", "b", "c"}) {
    insert(cache, text, 1);
  }
  BOOST_TEST(find(cache, "a").has_value());  // now b is the oldest
  insert(cache, "d", 1);
  BOOST_TEST(cache.counters().entries == 3U);
  BOOST_TEST(cache.counters().evictions == 1U);
  BOOST_TEST(find(cache, "a").has_value());
  BOOST_TEST(!find(cache, "b").has_value());
  BOOST_TEST(find(cache, "c").has_value());
  insert(cache, "a", 2);  // replacing is use too, and evicts nothing
  insert(cache, "e", 1);
  BOOST_TEST(find(cache, "a").has_value());
  BOOST_TEST(!find(cache, "d").has_value());
  BOOST_TEST(cache.counters().bytes == 3 * ScoreCache::kEntryBytes);
}

BOOST_AUTO_TEST_CASE(no_room_keeps_nothing) {
  ScoreCache cache(ScoreCache::kEntryBytes - 1);
  insert(cache, "a", 1);
  BOOST_TEST(!find(cache, "a").has_value());
  BOOST_TEST(cache.counters().bytes == 0U);
}

BOOST_AUTO_TEST_CASE(only_finite_logits_are_kept) {
  ScoreCache cache;
  insert(cache, "a", std::numeric_limits<double>::quiet_NaN());
  insert(cache, "b", std::numeric_limits<double>::infinity());
  BOOST_TEST(cache.counters().entries == 0U);
  const ScoreKey keys[] = {key("a")};
  BOOST_CHECK_THROW(cache.insert(keys, {}), std::invalid_argument);
}

BOOST_AUTO_TEST_CASE(many_threads) {
  ScoreCache cache(50 * ScoreCache::kEntryBytes);
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&cache, thread] {
      for (int i = 0; i < 500; ++i) {
        const std::string text = std::to_string((i * 7 + thread) % 100);
        if (const auto logit = find(cache, text); logit && *logit != std::stod(text)) {
          throw std::logic_error("another text's logit");
        }
        insert(cache, text, std::stod(text));
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  BOOST_TEST(cache.counters().entries == 50U);
  BOOST_TEST(cache.counters().hits + cache.counters().misses == 2000U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace qrerank::reranker
