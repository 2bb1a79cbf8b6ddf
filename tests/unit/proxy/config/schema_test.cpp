// The table against itself, against config.yaml and against docs/configuration.md.
#include "proxy/config/schema.hpp"

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>

#include "proxy/config/load.hpp"
#include "proxy/config/print.hpp"

namespace config = qrerank::proxy::config;

namespace {

std::string file_text(const std::string& name) {
  std::ifstream file(QRERANK_SOURCE_DIR "/" + name);
  BOOST_TEST_REQUIRE(file.good(), name);
  return {std::istreambuf_iterator<char>(file), {}};
}

const config::Key& key_at(const std::string& path) {
  for (const auto& key : config::schema()) {
    if (key.path() == path) {
      return key;
    }
  }
  throw std::out_of_range(path);
}

bool takes(const std::string& path, const std::string& text) {
  config::Config scratch;
  config::CollectionRule rule;
  config::Model model;
  config::Instruction instruction;
  config::MappedModel mapped;
  config::Relay relay;
  config::EmbeddingModel embedding;
  const config::Place place{scratch, &rule, &model, &instruction, &mapped, &relay, &embedding};
  return key_at(path).set(place, {text, {}, false}).has_value();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(schema)

BOOST_AUTO_TEST_CASE(rows_are_whole) {
  std::set<std::string> paths;
  for (const auto& key : config::schema()) {
    BOOST_TEST(paths.insert(key.path()).second, key.path() << " is there twice");
    BOOST_TEST(!key.sentence.empty(), key.path());
    BOOST_TEST(key.sentence.back() == '.', key.path());
    BOOST_TEST(!key.expected.empty(), key.path());
    BOOST_TEST(!key.default_text.empty(), key.path());
    BOOST_TEST(bool(key.set), key.path());
    BOOST_TEST(bool(key.get), key.path());
  }
}

BOOST_AUTO_TEST_CASE(bounds) {
  struct Row {
    std::string path, lowest, highest, below, above;
  };
  const Row table[] = {
      {"proxy.io_threads", "0", "256", "-1", "257"},
      {"proxy.header_timeout", "10ms", "10m", "9ms", "601s"},
      {"proxy.idle_timeout", "10ms", "1h", "9ms", "3601s"},
      {"proxy.body_timeout", "10ms", "1h", "9ms", "3601s"},
      {"proxy.drain_timeout", "0ms", "1h", "-1ms", "3601s"},
      {"proxy.max_header_bytes", "1KiB", "1MiB", "1023", "1048577"},
      {"proxy.max_inspect_body", "1KiB", "1GiB", "1023", "1073741825"},
      {"proxy.max_connections", "1", "1000000", "0", "1000001"},
      {"proxy.max_headers", "1", "10000", "0", "10001"},
      {"proxy.max_connections_per_address", "0", "1000000", "-1", "1000001"},
      {"proxy.max_inspect_memory", "1KiB", "1024GiB", "1023", "1025GiB"},
      {"proxy.tls.handshake_timeout", "10ms", "10m", "9ms", "601s"},
      {"proxy.request_timeout", "0ms", "24h", "-1ms", "86401s"},
      {"upstream.connect_timeout", "1ms", "10m", "0ms", "601s"},
      {"upstream.response_timeout", "1ms", "24h", "0ms", "86401s"},
      {"upstream.keep_alive_timeout", "0ms", "1h", "-1ms", "3601s"},
      {"upstream.keep_alive_time", "0ms", "24h", "-1ms", "86401s"},
      {"upstream.keep_alive_requests", "0", "1000000000", "-1", "1000000001"},
      {"upstream.resolve_interval", "1ms", "24h", "0ms", "86401s"},
      {"upstream.max_idle_connections", "0", "100000", "-1", "100001"},
      {"upstream.health_interval", "0ms", "1h", "-1ms", "3601s"},
      {"upstream.health_timeout", "1ms", "10m", "0ms", "601s"},
      {"upstream.health_rise", "1", "1000", "0", "1001"},
      {"upstream.health_fall", "1", "1000", "0", "1001"},
      {"upstream.eject_failures", "0", "1000000", "-1", "1000001"},
      {"upstream.eject_time", "1ms", "24h", "0ms", "86401s"},
      {"upstream.eject_time_max", "1ms", "24h", "0ms", "86401s"},
      {"upstream.max_response_body", "1KiB", "16GiB", "1023", "17GiB"},
      {"relays.<name>.connect_timeout", "1ms", "10m", "0ms", "601s"},
      {"relays.<name>.idle_timeout", "0ms", "24h", "-1ms", "86401s"},
      {"relays.<name>.max_connections", "1", "1000000", "0", "1000001"},
      {"relays.<name>.max_connections_per_address", "0", "1000000", "-1", "1000001"},
      {"scoring.memory_budget", "0", "1024GiB", "-1", "1025GiB"},
      {"scoring.gpu_memory_budget", "0", "1024GiB", "-1", "1025GiB"},
      {"scoring.load_timeout", "1ms", "1h", "0ms", "3601s"},
      {"scoring.idle_unload", "0ms", "168h", "-1ms", "604801s"},
      {"models.<name>.replicas", "1", "64", "0", "65"},
      {"models.<name>.idle_unload", "0ms", "168h", "-1ms", "604801s"},
      {"models.<name>.preload", "true", "false", "maybe", "2"},
      {"rerank.max_top_k", "10", "10000", "9", "10001"},
      {"rerank.max_query_chars", "1", "1000000", "0", "1000001"},
      {"rerank.top_k", "10", "200", "9", "201"},
      {"rerank.weight", "0", "1", "-0.1", "1.1"},
      {"rerank.timeout_ms", "1", "60000", "0", "60001"},
      {"collections.<name>.top_k", "10", "200", "9", "201"},
      {"models.<name>.max_length", "0", "1048576", "-1", "1048577"},
      {"selection.metadata_ttl", "0ms", "24h", "-1ms", "86401s"},
      {"selection.metadata_timeout", "1ms", "1m", "0ms", "61s"},
      {"scoring.token_budget", "64", "16777216", "63", "16777217"},
      {"scoring.batch_time", "0ms", "10m", "-1ms", "601s"},
      {"scoring.max_queued_texts", "1", "16777216", "0", "16777217"},
      {"scoring.max_queued_tokens", "64", "1073741824", "63", "1073741825"},
      {"scoring.cache_bytes", "0", "1024GiB", "-1", "1025GiB"},
      {"inference.timeout", "1ms", "10m", "0ms", "601s"},
      {"inference.cache_bytes", "0", "64GiB", "-1", "65GiB"},
      {"inference.models.<name>.max_length", "0", "1048576", "-1", "1048577"},
      {"inference.models.<name>.idle_unload", "0ms", "168h", "-1ms", "604801s"},
      {"scoring.threads", "0", "1024", "-1", "1025"},
      {"scoring.tokenizer_threads", "0", "256", "-1", "257"},
      {"scoring.max_text_chars", "16", "100000000", "15", "100000001"},
  };
  std::set<std::string> tested;
  for (const auto& row : table) {
    BOOST_TEST(takes(row.path, row.lowest), row.path << " " << row.lowest);
    BOOST_TEST(takes(row.path, row.highest), row.path << " " << row.highest);
    BOOST_TEST(!takes(row.path, row.below), row.path << " " << row.below);
    BOOST_TEST(!takes(row.path, row.above), row.path << " " << row.above);
    BOOST_TEST(!takes(row.path, "some"), row.path);
    BOOST_TEST(!takes(row.path, ""), row.path);
    tested.insert(row.path);
  }
  for (const auto& key : config::schema()) {
    const bool bounded = key.type == config::ValueType::integer || key.type == config::ValueType::duration ||
                         key.type == config::ValueType::size;
    BOOST_TEST((!bounded || tested.contains(key.path())), key.path() << " has bounds that no test trips");
  }
}

BOOST_AUTO_TEST_CASE(words) {
  for (const std::string good : {"auto", "cpu", "cuda", "cuda:0", "cuda:127"}) {
    BOOST_TEST(takes("models.<name>.device", good), good);
  }
  for (const std::string bad : {"", "gpu", "cuda:", "cuda:-0", "cuda:128", "cuda:x", "CPU"}) {
    BOOST_TEST(!takes("models.<name>.device", bad), bad);
  }
  BOOST_TEST(takes("models.<name>.dtype", "bfloat16"));
  BOOST_TEST(!takes("models.<name>.dtype", "float8"));
  BOOST_TEST(takes("proxy.tls.min_version", "TLSv1.3"));
  BOOST_TEST(!takes("proxy.tls.min_version", "TLSv1.1"));
  BOOST_TEST(takes("proxy.tls.client_certificates", "optional"));
  BOOST_TEST(!takes("proxy.tls.client_certificates", "on"));
  BOOST_TEST(takes("collections.<name>.rerank", "always"));
  BOOST_TEST(!takes("collections.<name>.rerank", "sometimes"));
  BOOST_TEST(!takes("instructions.<name>", ""));
  BOOST_TEST(takes("upstream.balance", "least_outstanding"));
  BOOST_TEST(!takes("upstream.balance", "random"));
  for (const std::string good : {"qdrant:6334", "[::1]:6334", "a:1,b:1"})
    BOOST_TEST(takes("relays.<name>.to", good), good);
  for (const std::string bad : {"", "qdrant", "qdrant:0", "a:1,a:1", "a:1,", "http://a:1"})
    BOOST_TEST(!takes("relays.<name>.to", bad), bad);
  BOOST_TEST(takes("upstream.health_path", "/healthz?verbose=1"));
  for (const std::string bad : {"", "readyz", "/a b", "/a\r\nX: y", "/\xc3\xa9"})
    BOOST_TEST(!takes("upstream.health_path", bad), bad);
  BOOST_TEST(!takes("models.<name>.path", std::string(5000, 'a')));
  BOOST_TEST(!takes("models.<name>.path", std::string("a\0b", 3)));
}

// What a reload keeps is written back from its printed form; what was never set could not be.
BOOST_AUTO_TEST_CASE(what_needs_a_restart_always_has_a_value) {
  auto loaded = config::load({});
  BOOST_REQUIRE(loaded.has_value());
  for (const auto& key : config::schema()) {
    const bool kept_with_its_section = key.section == "tracing";
    if (key.scope == config::Scope::global && key.needs_restart && !kept_with_its_section) {
      BOOST_TEST(key.get(config::Place{*loaded}).has_value(), key.path());
    }
  }
}

BOOST_AUTO_TEST_CASE(secrets_are_never_printed) {
  config::Key key = key_at("rerank.default_model");
  key.secret = true;
  config::Config c;
  c.rerank.default_model = "hush";
  const auto printed = config::print_effective(c, std::span(&key, 1));
  BOOST_TEST(printed.find("hush") == std::string::npos);
  BOOST_TEST(printed.find("<secret>") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_reference_page_is_generated) {
  BOOST_TEST((file_text("docs/configuration.md") == config::print_reference()),
             "run: qrerank check-config --print-reference > docs/configuration.md");
  for (const auto& key : config::schema()) {
    BOOST_TEST(config::print_reference().find("`" + key.path() + "`") != std::string::npos, key.path());
  }
}

BOOST_AUTO_TEST_CASE(the_sample_file_shows_the_defaults_and_every_key) {
  const auto sample = file_text("config.yaml");
  const auto shown = config::load_text(sample, "config.yaml");
  BOOST_TEST_REQUIRE(shown.has_value(), (shown ? "" : config::to_string(shown.error())));
  auto defaults = *config::load({});
  defaults.rerank.defaults.weight = 0.05;  // docs/relevance.md
  BOOST_TEST(config::print_effective(*shown) == config::print_effective(defaults));
  // Lines that begin with "#" and no single space are YAML that is switched off.
  auto all = std::regex_replace("\n" + sample, std::regex("\n#(?! \\S)"), "\n");
  // upstream.tls is refused where nothing uses it.
  all = std::regex_replace(all, std::regex("url: http://"), "url: https://");
  const auto loaded = config::load_text(all, "config.yaml");
  BOOST_TEST_REQUIRE(loaded.has_value(), (loaded ? "" : config::to_string(loaded.error())));
  std::string section;
  std::string inner;
  std::set<std::string> said;
  std::istringstream lines(all);
  for (std::string line; std::getline(lines, line);) {
    std::smatch match;
    if (std::regex_search(line, match, std::regex("^([a-z_]+):"))) {
      section = match[1];
      said.insert(section);
    } else if (std::regex_search(line, match, std::regex("^ +\"?([a-z_]+)\"?:"))) {
      const std::string name = match[1];
      if (line.starts_with("  " + name)) inner = name;
      said.insert(section + "." + name);
      said.insert(section + "." + inner + "." + name);
    }
  }
  for (const auto& key : config::schema()) {
    const std::string name =
        key.section.empty() ? key.name : key.section + (key.name.empty() ? "" : "." + key.name);
    BOOST_TEST((said.contains(name) || said.contains(key.section + "." + key.alias)),
               name << " is not in config.yaml");
  }
}

BOOST_AUTO_TEST_SUITE_END()
