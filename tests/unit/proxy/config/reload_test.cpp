#include "proxy/config/reload.hpp"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <thread>

#include "proxy/config/live.hpp"
#include "proxy/config/print.hpp"

namespace config = qrerank::proxy::config;

namespace {

config::Config good(std::string_view yaml) {
  auto loaded = config::load_text(yaml, "c.yaml");
  BOOST_TEST_REQUIRE(loaded.has_value(), (loaded ? "" : config::to_string(loaded.error())));
  return *loaded;
}

using Paths = std::vector<std::string>;

config::Reloaded reloaded(std::string_view running, std::string_view fresh) {
  auto merged = config::reload(good(running), good(fresh));
  BOOST_TEST_REQUIRE(merged.has_value(), (merged ? "" : config::to_string(merged.error())));
  return *merged;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reload)

BOOST_AUTO_TEST_CASE(nothing_changed) {
  const std::string same = "collections: {a: {rerank: never}}\nmodels: {m: {path: /m}}\nlog: {level: warn}";
  const auto merged = reloaded(same, same);
  BOOST_TEST(merged.changed.empty());
  BOOST_TEST(merged.after_restart.empty());
  BOOST_TEST(config::print_effective(merged.config) == config::print_effective(good(same)));
}

BOOST_AUTO_TEST_CASE(tracing_stays_as_it_was_also_where_it_was_not_there) {
  const std::string on = "tracing: {endpoint: 'http://a/b', headers: 'k=v'}";
  const auto begun = reloaded("", on);
  BOOST_TEST(begun.after_restart == (Paths{"tracing.endpoint", "tracing.headers"}),
             boost::test_tools::per_element());
  BOOST_TEST(begun.config.tracing.endpoint.empty());
  BOOST_TEST(begun.config.tracing.headers.empty());
  BOOST_TEST(reloaded(on, "").config.tracing.endpoint == "http://a/b");
}

BOOST_AUTO_TEST_CASE(what_can_change_changes_and_the_rest_stays) {
  const auto merged = reloaded(
      "proxy: {listen: 'a:1', io_threads: 2}\nupstream: {url: [http://a, http://b]}\nrerank: {top_k: 20, "
      "weight: 0.5}",
      "proxy: {listen: 'b:2', io_threads: 2, max_inspect_body: 1MiB}\nupstream: {url: http://c}\n"
      "scoring: {cache_bytes: 0}\nrerank: {top_k: 30}\nlog: {level: debug}");
  BOOST_TEST(
      merged.changed == (Paths{"proxy.max_inspect_body", "rerank.top_k", "rerank.weight", "log.level"}),
      boost::test_tools::per_element());
  BOOST_TEST(merged.after_restart == (Paths{"proxy.listen", "upstream.url", "scoring.cache_bytes"}),
             boost::test_tools::per_element());
  const auto& c = merged.config;
  BOOST_TEST(config::to_string(c.proxy.listen) == "a:1");
  BOOST_TEST(c.upstream.urls.size() == 2u);
  BOOST_TEST(c.scoring.cache_bytes == config::Config().scoring.cache_bytes);
  BOOST_TEST(c.proxy.max_inspect_body == 1u << 20);
  BOOST_TEST(*c.rerank.defaults.top_k == 30);
  BOOST_TEST(!c.rerank.defaults.weight.has_value());  // what is no longer said is not set any more
  BOOST_TEST(c.log.level == "debug");
}

BOOST_AUTO_TEST_CASE(origins_are_those_of_the_values_in_force) {
  const auto merged =
      reloaded("proxy: {listen: 'a:1'}\ntracing: {endpoint: 'http://a/b'}\nmodels: {m: {path: /m}}",
               "\n\n\nproxy: {listen: 'b:2', max_inspect_body: 1MiB}\nupstream: {url: http://c}\n"
               "rerank: {top_k: 20}\nmodels: {m: {path: /m, replicas: 2}}");
  const config::Origins expected = {{"proxy.listen", "c.yaml:1"},     {"proxy.max_inspect_body", "c.yaml:4"},
                                    {"tracing.endpoint", "c.yaml:2"}, {"rerank.top_k", "c.yaml:6"},
                                    {"models.m", "c.yaml:7"},         {"models.m.path", "c.yaml:7"},
                                    {"models.m.replicas", "c.yaml:7"}};
  for (const auto& [path, origin] : merged.config.origins)
    BOOST_TEST((expected.contains(path) && expected.at(path) == origin), path << ": " << origin);
  BOOST_TEST(merged.config.origins.size() == expected.size());
}

BOOST_AUTO_TEST_CASE(rules_come_go_and_change_places) {
  const auto merged = reloaded("collections: {'d*': {rerank: never}, '*': {top_k: 20}, old: {}}",
                               "collections: {'*': {top_k: 30}, 'd*': {rerank: always}, new: {}}");
  BOOST_TEST(merged.changed == (Paths{"collections.*.top_k", "collections.d*.rerank", "collections.new",
                                      "collections.old"}),
             boost::test_tools::per_element());
  BOOST_TEST(merged.config.collections.front().pattern == "*");
  const auto moved = reloaded("collections: {'d*': {}, '*': {}}", "collections: {'*': {}, 'd*': {}}");
  BOOST_TEST(moved.changed == Paths{"collections (their order)"}, boost::test_tools::per_element());
  const auto texts = reloaded("instructions: {a: x}", "instructions: {qa: other}\nmodel_mapping: {e: mock}");
  BOOST_TEST(texts.changed == (Paths{"instructions.qa", "instructions.a", "model_mapping.e"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(models_come_go_and_change) {
  const auto merged = reloaded("models: {m: {path: /m}, gone: {path: /g}}",
                               "models: {m: {path: /m, dtype: float32}, n: {path: /n}}\n"
                               "rerank: {default_model: m}\ncollections: {docs: {model: n}}");
  BOOST_TEST(merged.after_restart.empty());
  BOOST_TEST(merged.changed == (Paths{"rerank.default_model", "collections.docs", "models.m.dtype",
                                      "models.n", "models.gone"}),
             boost::test_tools::per_element());
  BOOST_TEST(merged.config.models.size() == 2u);
  BOOST_TEST(merged.config.models[0].dtype == "float32");
  BOOST_TEST(merged.config.models[1].name == "n");
}

// Each of the two is good; what would be in force until the restart is not.
BOOST_AUTO_TEST_CASE(what_does_not_go_with_what_waits_for_a_restart_is_refused) {
  const auto merged = config::reload(good("admin: {listen: '0.0.0.0:1', open: true}"),
                                     good("admin: {listen: '127.0.0.1:1'}\nproxy: {io_threads: 3}"));
  BOOST_TEST_REQUIRE(!merged.has_value());
  BOOST_TEST(
      config::to_string(merged.error()) ==
      "admin.listen: 0.0.0.0:1 can be reached from other machines: set admin.token_file or admin.token, "
      "or say admin.open: true\n"
      "the rest of it takes effect after a restart: proxy.io_threads, admin.listen\n");
}

BOOST_AUTO_TEST_CASE(a_pointer_once_taken_stays_as_it_is) {
  config::LiveConfig live(good("rerank: {top_k: 20}"));
  const auto before = live.get();
  live.set(good("rerank: {top_k: 30}"));
  BOOST_TEST(*before->rerank.defaults.top_k == 20);
  BOOST_TEST(*live.get()->rerank.defaults.top_k == 30);
}

// For the sanitizers: readers and a writer at once; each reader sees one whole configuration or the other.
BOOST_AUTO_TEST_CASE(read_while_it_is_swapped) {
  const auto small = good("rerank: {top_k: 20, weight: 0}");
  const auto large = good("rerank: {top_k: 30, weight: 1}");
  config::LiveConfig live(small);
  std::atomic<int> torn = 0;
  std::atomic<bool> stop = false;
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&] {
      while (!stop) {
        const auto seen = live.get();
        torn += (*seen->rerank.defaults.top_k == 30) != (*seen->rerank.defaults.weight == 1);
      }
    });
  }
  for (int i = 0; i < 500; ++i) {
    live.set(i % 2 == 0 ? large : small);
  }
  stop = true;
  for (auto& reader : readers) {
    reader.join();
  }
  BOOST_TEST(torn == 0);
}

BOOST_AUTO_TEST_SUITE_END()
