#include "proxy/config/load.hpp"

#include <boost/test/unit_test.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "proxy/config/print.hpp"

namespace config = qrerank::proxy::config;

namespace {

std::string problems_of(std::string_view yaml, const config::Sources& sources = {}) {
  const auto loaded = config::load_text(yaml, "c.yaml", sources);
  return loaded ? "" : config::to_string(loaded.error());
}

config::Config good(std::string_view yaml, const config::Sources& sources = {}) {
  auto loaded = config::load_text(yaml, "c.yaml", sources);
  BOOST_TEST_REQUIRE(loaded.has_value(), (loaded ? "" : config::to_string(loaded.error())));
  return *loaded;
}

config::Sources sets(std::vector<std::string> list) {
  return {std::nullopt, {}, std::move(list)};
}
config::Sources environment(std::vector<std::pair<std::string, std::string>> list) {
  return {std::nullopt, std::move(list), {}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(loading)

BOOST_AUTO_TEST_CASE(nothing_gives_the_defaults) {
  for (const std::string empty : {"", "\n", "# nothing\n", "proxy:\n", "collections:\nmodels:\nrerank:\n"}) {
    BOOST_TEST(config::print_effective(good(empty)) == config::print_effective(good("")), empty);
  }
  const auto loaded = good("");
  BOOST_TEST(loaded.proxy.listen.port == 7333);
  BOOST_TEST(loaded.rerank.default_model == "mock");
  BOOST_TEST(*loaded.rerank.defaults.timeout_ms == 10'000);
}

BOOST_AUTO_TEST_CASE(a_file_with_everything) {
  const auto c = good(R"(
proxy: {listen: "0.0.0.0:1", io_threads: 2, header_timeout: 250ms, max_inspect_body: 1MiB}
upstream:
  url: [http://a:1, "http://b"]
rerank: {default_model: m, max_top_k: 500, top_k: 300, weight: 0.5, field: [a, b.c], on_error: error}
collections:
  docs-*: {rerank: never}
  docs: {rerank: always, reranker: m, top_k: 400, field: body, timeout_ms: 5}
models:
  m: {hub: owner/name, dtype: bfloat16, device: "cuda:1", max_length: 256}
instructions:
  qa: other
  mine: text
log: {level: debug, format: json, access: true}
)");
  BOOST_TEST(c.proxy.listen.host == "0.0.0.0");
  BOOST_TEST(c.proxy.header_timeout.count() == 250);
  BOOST_TEST(c.proxy.max_inspect_body == 1048576u);
  BOOST_TEST(c.upstream.urls.size() == 2u);
  BOOST_TEST(c.upstream.urls[1].address.port == 6333);
  BOOST_TEST(*c.rerank.defaults.top_k == 300);
  BOOST_TEST(c.rerank.defaults.fields->at(1) == "b.c");
  BOOST_TEST_REQUIRE(c.collections.size() == 2u);
  BOOST_TEST(c.collections[0].pattern == "docs-*");  // the file's order
  BOOST_TEST(*c.collections[1].options.model == "m");
  BOOST_TEST(*c.collections[1].options.top_k == 400);
  BOOST_CHECK(c.collections[1].mode == config::RerankMode::always);
  BOOST_TEST(c.models[0].device == "cuda:1");
  BOOST_TEST(config::instruction_text(c, "qa") == "other");
  BOOST_TEST(config::instruction_text(c, "mine") == "text");
  BOOST_TEST(config::instruction_text(c, "anything else") == "anything else");
  BOOST_CHECK(c.log.format == config::LogFormat::json);
  // What is printed reads back to the same.
  const auto printed = config::print_effective(c);
  BOOST_TEST(config::print_effective(good(printed)) == printed);
}

BOOST_AUTO_TEST_CASE(later_sources_win) {
  const auto both = config::Sources{std::nullopt, {{"QRERANK_PROXY__LISTEN", "e:2"}}, {"proxy.listen=s:3"}};
  BOOST_TEST(good("proxy: {listen: 'f:1'}").proxy.listen.host == "f");
  BOOST_TEST(
      good("proxy: {listen: 'f:1'}", environment({{"QRERANK_PROXY__LISTEN", "e:2"}})).proxy.listen.host ==
      "e");
  BOOST_TEST(good("proxy: {listen: 'f:1'}", both).proxy.listen.host == "s");
  BOOST_TEST(good("", sets({"log.level=warn", "log.level=error"})).log.level == "error");
  BOOST_TEST(good("", sets({"rerank.instruction=a=b"})).rerank.defaults.instruction.value() == "a=b");
  BOOST_TEST(good("", sets({"upstream.url=http://a,http://b:1"})).upstream.urls.size() == 2u);
  // Bounds are the final ones, wherever they were said.
  BOOST_TEST(*good("rerank: {top_k: 300}", sets({"rerank.max_top_k=300"})).rerank.defaults.top_k == 300);
}

BOOST_AUTO_TEST_CASE(variables) {
  const std::string file = "models: {bge-v1.5: {path: /a}}\ncollections: {Docs: {rerank: never}}";
  const auto c = good(file, environment({{"QRERANK_MODELS__BGE_V1_5__DTYPE", "float32"},
                                         {"QRERANK_COLLECTIONS__DOCS__RERANK", "always"},
                                         {"QRERANK_COLLECTIONS__NEW__TOP_K", "20"},
                                         {"QRERANK_INSTRUCTIONS__QA", "ask"},
                                         {"QRERANK_CACHE", "not a setting"},
                                         {"QRERANK", "not one"},
                                         {"OTHER__X", "nor this"}}));
  BOOST_TEST(c.models.at(0).dtype == "float32");
  BOOST_TEST(c.models.size() == 1u);
  BOOST_CHECK(c.collections.at(0).mode == config::RerankMode::always);
  BOOST_TEST(c.collections.at(1).pattern == "new");
  BOOST_TEST(config::instruction_text(c, "qa") == "ask");
  BOOST_TEST(problems_of("", environment({{"QRERANK_PROXY__LISTNE", "x:1"}})) ==
             "QRERANK_PROXY__LISTNE: proxy.listne is not a known key; did you mean proxy.listen?\n");
  BOOST_TEST(problems_of("models: {a-b: {path: x}, a_b: {path: y}}",
                         environment({{"QRERANK_MODELS__A_B__DTYPE", "auto"}})) ==
             "QRERANK_MODELS__A_B__DTYPE: could mean a-b or a_b; use --set for this one\n");
}

BOOST_AUTO_TEST_CASE(a_section_inside_a_section) {
  const std::string file =
      "proxy:\n  via: true\n  tls: {certificate: c.pem, key: ~/k.pem, min_version: TLSv1.3}";
  const auto c = good(file, environment({{"HOME", "/h"}}));
  BOOST_TEST(c.proxy.via);
  BOOST_TEST(c.proxy.tls.certificate == "c.pem");
  BOOST_TEST(c.proxy.tls.key == "/h/k.pem");
  BOOST_CHECK(c.proxy.tls.min_version == config::TlsVersion::v1_3);
  BOOST_TEST(config::print_effective(good(config::print_effective(c))) == config::print_effective(c));
  BOOST_TEST(good("proxy: {tls: }").proxy.tls.certificate.empty());
  const auto said =
      config::Sources{std::nullopt,
                      {{"QRERANK_PROXY__TLS__CERTIFICATE", "e"}, {"QRERANK_PROXY__TLS__KEY", "e"}},
                      {"proxy.tls.key=s"}};
  BOOST_TEST(good(file, said).proxy.tls.certificate == "e");
  BOOST_TEST(good(file, said).proxy.tls.key == "s");
  BOOST_TEST(problems_of("proxy:\n  tls:\n    certificat: x") ==
             "c.yaml:3: proxy.tls.certificat is not a known key; did you mean proxy.tls.certificate?\n");
  BOOST_TEST(problems_of("proxy: {tsl: {}}") ==
             "c.yaml:1: proxy.tsl is not a known key; did you mean proxy.tls?\n");
  BOOST_TEST(problems_of("proxy: {tls: 5}") == "c.yaml:1: proxy.tls must be a map of keys and values\n");
  BOOST_TEST(problems_of("proxy.tls: {key: x}").starts_with("c.yaml:1: proxy.tls is not a known key"));
  BOOST_TEST(problems_of("", sets({"proxy.tls.keey=x"})) ==
             "--set proxy.tls.keey: proxy.tls.keey is not a known key; did you mean proxy.tls.key?\n");
  BOOST_TEST(problems_of("", sets({"proxy.tls=x"})).find("not a known key") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(homes_and_folders) {
  const auto home = environment({{"HOME", "/h"}});
  BOOST_TEST(good("", home).models_folder == "/h/.cache/qrerank/models");
  BOOST_TEST(good("", environment({{"HOME", "/h"}, {"XDG_CACHE_HOME", "/x"}})).models_folder ==
             "/x/qrerank/models");
  BOOST_TEST(good("models_folder: ~/m", home).models_folder == "/h/m");
  const auto c = good("models_folder: /m\nmodels: {a: {hub: o/n}, b: {hub: n}, c: {hub: o/n, path: /p}}");
  BOOST_TEST(config::model_folder(c, c.models[0]) == "/m/n");
  BOOST_TEST(config::model_folder(c, c.models[1]) == "/m/n");
  BOOST_TEST(config::model_folder(c, c.models[2]) == "/p");
}

BOOST_AUTO_TEST_CASE(a_small_max_top_k_moves_the_default) {
  BOOST_TEST(*good("rerank: {max_top_k: 20}").rerank.defaults.top_k == 20);
  BOOST_TEST(!good("rerank: {max_top_k: 50}").rerank.defaults.top_k.has_value());
}

BOOST_AUTO_TEST_CASE(every_error_names_its_place) {
  const std::pair<std::string, std::string> table[] = {
      {"proxy:\n  lisen: a:1", "c.yaml:2: proxy.lisen is not a known key; did you mean proxy.listen?\n"},
      {"prxy: {}", "c.yaml:1: prxy is not a known key; did you mean proxy?\n"},
      {"zzzzzz: 1", "c.yaml:1: zzzzzz is not a known key\n"},
      {"proxy: 5", "c.yaml:1: proxy must be a map of keys and values\n"},
      {"- a", "c.yaml:1: the file must be a map of keys and values\n"},
      {"proxy: {listen: 'a:1'}\nproxy: {}", "c.yaml:2: proxy is there twice in the file\n"},
      {"log:\n  level: info\n  level: warn", "c.yaml:3: level is there twice in log\n"},
      {"collections: {a: {}, a: {}}", "c.yaml:1: a is there twice in collections\n"},
      {"? [a]\n: b", "c.yaml:1: a key of the file is not a plain text\n"},
      {"log: {level: }",
       "c.yaml:1: log.level has no value, expected one of trace, debug, info, warn, error\n"},
      {"log: {access: {}}", "c.yaml:1: log.access is a map, expected true or false\n"},
      {"log: {access: [true]}", "c.yaml:1: log.access: a list is not true or false\n"},
      {"upstream: {url: [{}]}", "c.yaml:1: upstream.url: an item of the list is not a plain value\n"},
      {"upstream: {url: []}",
       "c.yaml:1: upstream.url: 0 URLs are not http:// or https://HOST[:PORT] without a path, or a list of "
       "1 to 64 of them\n"},
      {"upstream: {url: [http://a, http://a:6333]}",
       "c.yaml:1: upstream.url: 'http://a:6333' is there twice\n"},
      {"upstream: {url: http://u:p@a}",
       "c.yaml:1: upstream.url: a URL with a user name is not http:// or https://HOST[:PORT] without "
       "a path, or a list of 1 to 64 of them\n"},
      {"rerank: {top_k: 500}",
       "c.yaml:1: rerank.top_k: 500 is out of bounds, expected an integer from 10 to 200\n"},
      {"rerank: {default_model: x}",
       "c.yaml:1: rerank.default_model: 'x' is neither `mock` nor a name under `models`\n"},
      {"rerank: {model: mok}",
       "c.yaml:1: rerank.model: 'mok' is neither `mock` nor a name under `models`; did you mean mock?\n"},
      {"collections: {a: {reranker: x}}",
       "c.yaml:1: collections.a.model: 'x' is neither `mock` nor a name under `models`\n"},
      {"collections: {a: {reranker: mock, model: mock}}",
       "c.yaml:1: collections.a: model and reranker are the same key\n"},
      {"collections: {a/b: {rerank: never}}", "c.yaml:1: collections: 'a/b' cannot be a name\n"},
      {"collections: {'': {}}", "c.yaml:1: collections: '' cannot be a name\n"},
      {"models: {'a b': {path: x}}", "c.yaml:1: models: 'a b' cannot be a name\n"},
      {"models: {mock: {path: x}}", "c.yaml:1: models.mock: mock is built in and takes no section\n"},
      {"models: {m: }", "c.yaml:1: models.m needs a path or a hub name\n"},
      {"admin: {listen: '127.0.0.1:7333'}",
       "c.yaml:1: admin.listen and proxy.listen are the same address, 127.0.0.1:7333\n"},
      {"model_mapping: {e: x}",
       "c.yaml:1: model_mapping.e: 'x' is neither `mock` nor a name or hub name under `models`\n"},
      {"model_mapping: {a b: mock}", "c.yaml:1: model_mapping: 'a b' cannot be a name\n"},
      {"model_mapping: {e: }",
       "c.yaml:1: model_mapping.e has no value, expected `mock`, or a name or hub name under `models`\n"},
      {"a: b\n---\nc: d", "c.yaml: the file holds more than one YAML document\n"},
  };
  for (const auto& [yaml, expected] : table) {
    BOOST_TEST(problems_of(yaml) == expected, yaml);
  }
  BOOST_TEST(problems_of("a: [").starts_with("c.yaml:"));
  BOOST_TEST(problems_of("a: [").find("not valid YAML") != std::string::npos);
  BOOST_TEST(problems_of("", sets({"proxy.listen"})) ==
             "--set proxy.listen: expected key=value, such as --set proxy.listen=127.0.0.1:7333\n");
  BOOST_TEST(problems_of("", sets({"models.path=x"})) ==
             "--set models.path: models.path needs a name and a key: models.<name>.<key>\n");
  BOOST_TEST(problems_of("", sets({"proxy.x.listen=a:1"})).find("not a known key") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(all_errors_at_once) {
  const auto loaded = config::load_text("proxy: {lisen: x, io_threads: many}\nlog: {level: loud}", "c.yaml",
                                        sets({"rerank.weight=2"}));
  BOOST_TEST_REQUIRE(!loaded.has_value());
  BOOST_TEST(loaded.error().size() == 4u, config::to_string(loaded.error()));
}

BOOST_AUTO_TEST_CASE(rules) {
  const auto c = good("collections: {'d*': {rerank: never}, docs: {rerank: always}, '*': {}}");
  BOOST_TEST(config::find_rule(c, "docs")->pattern == "docs");
  BOOST_TEST(config::find_rule(c, "dogs")->pattern == "d*");
  BOOST_TEST(config::find_rule(c, "cats")->pattern == "*");
  BOOST_CHECK(config::find_rule(good(""), "docs") == nullptr);
}

BOOST_AUTO_TEST_CASE(names_of_embedding_models) {
  const auto c = good("model_mapping: {BAAI/bge-small-en-v1.5: mock, 'e5-*': mock}",
                      sets({"model_mapping.acme/one.2=mock", "selection.metadata_ttl=0ms",
                            "collections.docs.embedding_model=acme/one.2"}));
  BOOST_TEST_REQUIRE(c.model_mapping.size() == 3u);
  BOOST_TEST(c.model_mapping[0].embedding == "BAAI/bge-small-en-v1.5");  // the file's order
  BOOST_TEST(c.model_mapping[2].embedding == "acme/one.2");
  BOOST_TEST(c.selection.metadata_ttl.count() == 0);
  BOOST_TEST(c.collections.at(0).embedding_model == "acme/one.2");
  const auto printed = config::print_effective(c);
  BOOST_TEST(config::print_effective(good(printed)) == printed);
}

BOOST_AUTO_TEST_CASE(origins) {
  const auto loaded = config::load_text(
      "rerank:\n  top_k: 20\ncollections:\n  docs:\n    reranker: mock\n    weight: 0.5\n", "c.yaml",
      {std::nullopt, {{"QRERANK_RERANK__WEIGHT", "0.7"}}, {"collections.docs.weight=0.9", "log.level=warn"}});
  BOOST_TEST_REQUIRE(loaded.has_value());
  const config::Origins expected = {{"rerank.top_k", "c.yaml:2"},
                                    {"rerank.weight", "QRERANK_RERANK__WEIGHT"},
                                    {"collections.docs", "c.yaml:4"},
                                    {"collections.docs.model", "c.yaml:5"},
                                    {"collections.docs.weight", "--set collections.docs.weight"},
                                    {"log.level", "--set log.level"}};
  BOOST_CHECK(loaded->origins == expected);
}

BOOST_AUTO_TEST_CASE(every_value_is_printed_with_its_origin) {
  const std::string yaml =
      "rerank: {top_k: 20}\nupstream: {url: [http://a, http://b]}\ncollections:\n  docs:\n    weight: 0.5\n"
      "models: {m: {path: /m}}\nrelays: {grpc: {listen: '127.0.0.1:0', to: '127.0.0.1:1'}}\n"
      "instructions: {mine: do it}\nmodel_mapping: {e*: mock}\n"
      "inference: {models: {mock-embedding: {names: [x]}}}\ntracing: {endpoint: 'http://a', headers: k=v}\n";
  const auto c = config::load_text(yaml, "c.yaml",
                                   {std::nullopt,
                                    {{"QRERANK_LOG__LEVEL", "warn"}},
                                    {"models.m.max_length=77", "admin.token=0123456789abcdef"}});
  BOOST_TEST_REQUIRE(c.has_value());
  const auto printed = config::print_with_origins(*c);
  for (const std::string line :
       {"top_k: 20  # c.yaml:1", "url: [http://a, http://b]  # c.yaml:2", "weight: 0.5  # c.yaml:5",
        "path: /m  # c.yaml:6", "max_length: 77  # --set models.m.max_length",
        "to: [127.0.0.1:1]  # c.yaml:7", "mine: do it  # c.yaml:8", "e*: mock  # c.yaml:9",
        "names: [x]  # c.yaml:10", "level: warn  # QRERANK_LOG__LEVEL",
        "token: <secret>  # --set admin.token", "headers: <secret>  # c.yaml:11",
        "max_top_k: 200  # default"})
    BOOST_TEST(printed.find(line + "\n") != std::string::npos, line << " is not in\n" << printed);
  BOOST_TEST(printed.find("0123456789abcdef") == std::string::npos);
  // A line that tells a value tells where from, and what is printed is still that configuration.
  std::istringstream lines(printed);
  for (std::string line; std::getline(lines, line);)
    BOOST_TEST((line.ends_with(":") || line.find("  # ") != std::string::npos), line);
  auto masked = printed;
  masked.replace(masked.find("<secret>"), 8, "0123456789abcdef");
  masked.replace(masked.find("<secret>"), 8, "k=v");
  BOOST_TEST(config::print_effective(good(masked)) == config::print_effective(*c));
}

BOOST_AUTO_TEST_CASE(files) {
  const auto path =
      std::filesystem::temp_directory_path() / ("qrerank_load_test_" + std::to_string(::getpid()));
  const auto problems = [&] {
    const auto loaded = config::load({path.string(), {}, {}});
    return loaded ? std::string() : config::to_string(loaded.error());
  };
  BOOST_TEST(problems() == path.string() + ": cannot be read: No such file or directory\n");
  std::ofstream(path) << "log: {level: warn}";
  BOOST_TEST(config::load({path.string(), {}, {}})->log.level == "warn");
  std::ofstream(path) << std::string((1u << 20) + 1, '#');
  BOOST_TEST(problems() == path.string() + ": longer than 1MiB\n");
  std::filesystem::remove(path);
  BOOST_TEST(config::load({})->log.level == "info");
}

BOOST_AUTO_TEST_CASE(a_named_section_inside_a_section) {
  const std::string yaml =
      "inference: {timeout: 2s, models: {bge-small: {path: /m, names: [a/b, c], query_prefix: ''}, e5: {hub: "
      "x/e5}}}";
  const auto from_file = good(yaml);
  BOOST_TEST(from_file.inference.timeout.count() == 2000);
  BOOST_TEST_REQUIRE(from_file.embedding_models.size() == 2U);
  const auto& bge = from_file.embedding_models[0];
  BOOST_TEST(bge.name == "bge-small");
  BOOST_TEST(bge.names == (std::vector<std::string>{"a/b", "c"}), boost::test_tools::per_element());
  BOOST_TEST(bge.query_prefix.value() == "");
  BOOST_TEST(!from_file.embedding_models[1].query_prefix.has_value());
  BOOST_TEST(config::find_embedding_model(from_file, "A/B")->name == "bge-small");
  BOOST_TEST(config::find_embedding_model(from_file, "X/e5")->name == "e5");
  BOOST_TEST((config::find_embedding_model(from_file, "d") == nullptr));
  // What is printed is read back as it was.
  BOOST_TEST(config::print_effective(good(config::print_effective(from_file))) ==
             config::print_effective(from_file));

  const auto set = good(yaml, sets({"inference.models.bge-small.pooling=mean",
                                    "inference.models.new-v1.5.path=/n", "inference.cache_bytes=1MiB"}));
  BOOST_TEST(set.embedding_models[0].pooling == "mean");
  BOOST_TEST(set.embedding_models[2].name == "new-v1.5");
  BOOST_TEST(set.inference.cache_bytes == 1048576U);
  const auto variable = good(yaml, environment({{"QRERANK_INFERENCE__MODELS__BGE_SMALL__DTYPE", "int8"}}));
  BOOST_TEST(variable.embedding_models[0].dtype == "int8");

  BOOST_TEST(
      problems_of("inference: {models: {a: {path: /m, pooling: max}}}").find("inference.models.a.pooling") !=
      std::string::npos);
  BOOST_TEST(problems_of("inference: {models: {a: {path: /m, poling: cls}}}").find("did you mean") !=
             std::string::npos);
  BOOST_TEST(
      problems_of("inference: {models: {a: {}}}").find("inference.models.a needs a path or a hub name") !=
      std::string::npos);
  BOOST_TEST(problems_of("inference: {models: {mock-embedding: {}}}").empty());
  BOOST_TEST(problems_of("{models: {a: {path: /m}}, inference: {models: {a: {path: /m}}}}")
                 .find("a model that judges has this name already") != std::string::npos);
  BOOST_TEST(problems_of("inference: {models: {a: {path: /m, names: [N]}, b: {path: /m, names: [n]}}}")
                 .find("'n' already means inference.models.a") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
