// What is kept of prefixes, and attention behind them.
#include <ATen/ops/randn.h>
#include <boost/test/unit_test.hpp>

#include "reranker/model/device.hpp"
#include "reranker/model/prefix_attention.hpp"
#include "reranker/model/prefix_kv.hpp"
#include "reranker/model/prefix_pool.hpp"

using namespace qrerank::reranker::model;

namespace {

/// 1 layer of `tokens` tokens: 2 * 2 * 4 float32 numbers each, 64 bytes.
std::shared_ptr<const PrefixKv> kv(std::int64_t tokens) {
  auto prefix = std::make_shared<PrefixKv>();
  prefix->layers.push_back(at::randn({tokens, 2, 2, 4}));
  return prefix;
}

double worst(const at::Tensor& a, const at::Tensor& b) {
  return a.sub(b).abs().max().item<double>();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(prefix_kv)

BOOST_AUTO_TEST_CASE(the_least_recently_used_prefix_goes_first) {
  PrefixCache cache(64 * 10);
  const auto first = kv(4);
  cache.insert({1}, first);
  cache.end_batch();
  cache.insert({2}, kv(4));
  cache.end_batch();
  BOOST_TEST(cache.bytes() == 64U * 8);
  BOOST_TEST(cache.find({1}) == first);
  cache.end_batch();
  cache.insert({3}, kv(3));
  cache.end_batch();
  BOOST_TEST(!cache.holds({2}));
  BOOST_TEST(cache.find({1}) == first);
  BOOST_TEST(cache.find({3}) != nullptr);
  BOOST_TEST(cache.bytes() == 64U * 7);
  cache.clear();
  BOOST_TEST(cache.bytes() == 0U);
  BOOST_TEST(cache.find({1}) == nullptr);
}

// Else a request whose prefix is large would compute it again with each of its batches.
BOOST_AUTO_TEST_CASE(the_last_batch_keeps_its_prefixes_whatever_their_size) {
  PrefixCache cache(64 * 10);
  cache.insert({1}, kv(3));
  cache.end_batch();
  const auto large = kv(11);
  cache.insert({2}, large);
  cache.insert({3}, kv(12));
  cache.end_batch();
  BOOST_TEST(!cache.holds({1}));
  BOOST_TEST(cache.holds({3}));
  BOOST_TEST(cache.find({2}) == large);
  cache.end_batch();
  BOOST_TEST(cache.holds({2}));
  BOOST_TEST(!cache.holds({3}));
  cache.insert({4}, kv(1));
  cache.end_batch();
  BOOST_TEST(!cache.holds({2}));
  BOOST_TEST(cache.bytes() == 64U);
  cache.end_batch();
  BOOST_TEST(cache.holds({4}));
}

BOOST_AUTO_TEST_CASE(equal_prefixes_are_one_object_while_they_live) {
  const PrefixPool pool;
  const auto first = pool.intern({.ids = {1, 2}, .type_ids = {}});
  BOOST_TEST(pool.intern({.ids = {1, 2}, .type_ids = {}}) == first);
  BOOST_TEST(pool.intern({.ids = {1, 3}, .type_ids = {}}) != first);
  for (std::int32_t i = 0; i < 10'000; ++i) (void)pool.intern({.ids = {i}, .type_ids = {}});
  BOOST_TEST(pool.remembered() < 100U);
  BOOST_TEST(pool.intern({.ids = {1, 2}, .type_ids = {}}) == first);
}

BOOST_AUTO_TEST_CASE(attention_by_parts_is_attention_over_all) {
  const PrefixKv long_prefix{{at::randn({70, 2, 2, 8})}};
  const PrefixKv short_prefix{{at::randn({1, 2, 2, 8})}};
  const auto kv = at::randn({46, 2, 2, 8});
  for (const std::int64_t heads : {2, 4, 8}) {
    const std::vector<PrefixGroup> all{{nullptr, {{0, 3, 0, 3}, {3, 1, 3, 1}}},
                                       {&long_prefix, {{4, 20, 4, 20}, {24, 1, 24, 1}, {25, 20, 25, 20}}},
                                       {&short_prefix, {{45, 1, 45, 1}}}};
    const auto q = at::randn({46, heads, 8});
    BOOST_TEST(worst(attend_with_prefix(q, kv, all, 0), attend_over_joined(q, kv, all, 0)) < 1e-5);
    const std::vector<PrefixGroup> last{{nullptr, {{0, 3, 0, 1}, {3, 1, 1, 1}}},
                                        {&long_prefix, {{4, 20, 2, 1}, {24, 1, 3, 1}, {25, 20, 4, 1}}},
                                        {&short_prefix, {{45, 1, 5, 1}}}};
    const auto asked = at::randn({6, heads, 8});
    BOOST_TEST(worst(attend_with_prefix(asked, kv, last, 0), attend_over_joined(asked, kv, last, 0)) < 1e-5);
  }
}

BOOST_AUTO_TEST_CASE(attention_on_a_gpu_in_one_call) {
  if (!choose_device("auto")->is_cuda()) {
    BOOST_TEST_MESSAGE("no GPU here: the variable-length call is not tested");
    return;
  }
  const auto options = c10::TensorOptions(c10::kCUDA).dtype(c10::kBFloat16);
  const PrefixKv prefix{{at::randn({70, 2, 2, 64}, options)}};
  const std::vector<PrefixGroup> groups{{nullptr, {{0, 3, 0, 3}}},
                                        {&prefix, {{3, 20, 3, 20}, {23, 5, 23, 5}}}};
  const auto q = at::randn({28, 4, 64}, options);
  const auto kv = at::randn({28, 2, 2, 64}, options);
  BOOST_TEST(worst(attend_with_prefix(q, kv, groups, 0), attend_over_joined(q, kv, groups, 0)) < 0.05);
}

BOOST_AUTO_TEST_SUITE_END()
