#include "proxy/config/units.hpp"

#include <boost/test/unit_test.hpp>

namespace config = qrerank::proxy::config;

BOOST_AUTO_TEST_SUITE(units)

BOOST_AUTO_TEST_CASE(durations) {
  const std::pair<std::string, std::int64_t> good[] = {
      {"0ms", 0},     {"250ms", 250},  {"5s", 5000},
      {"2m", 120000}, {"1h", 3600000}, {"9223372036854775807ms", 9223372036854775807}};
  for (const auto& [text, ms] : good) {
    const auto parsed = config::parse_duration(text);
    BOOST_TEST_REQUIRE(parsed.has_value(), text);
    BOOST_TEST(parsed->count() == ms, text);
  }
  for (const std::string bad : {"", "5", "s", "-5s", "5 s", " 5s", "5s ", "1.5s", "5S", "5sec",
                                "9223372036854775808ms", "2562047788015216h", "99999999999999999999s"}) {
    BOOST_TEST(!config::parse_duration(bad).has_value(), bad);
  }
}

BOOST_AUTO_TEST_CASE(sizes) {
  const std::pair<std::string, std::uint64_t> good[] = {{"0", 0},
                                                        {"17", 17},
                                                        {"17B", 17},
                                                        {"64KiB", 65536},
                                                        {"512MiB", 536870912},
                                                        {"1GiB", 1073741824},
                                                        {"17179869183GiB", 17179869183ull << 30}};
  for (const auto& [text, bytes] : good) {
    const auto parsed = config::parse_size(text);
    BOOST_TEST_REQUIRE(parsed.has_value(), text);
    BOOST_TEST(*parsed == bytes, text);
  }
  for (const std::string bad :
       {"", "MiB", "5MB", "5kb", "5 MiB", "-1", "1.5GiB", "17179869184GiB", "18446744073709551616"}) {
    BOOST_TEST(!config::parse_size(bad).has_value(), bad);
  }
}

BOOST_AUTO_TEST_CASE(printing_reads_back) {
  for (const std::int64_t ms : {0, 1, 999, 1000, 1500, 60000, 90000, 3600000, 5400000}) {
    BOOST_TEST(config::parse_duration(config::print_duration(config::Milliseconds(ms)))->count() == ms);
  }
  for (const std::uint64_t bytes :
       {0ull, 1ull, 1023ull, 1024ull, 1536ull, 1ull << 20, 3ull << 30, (1ull << 30) + 1}) {
    BOOST_TEST(*config::parse_size(config::print_size(bytes)) == bytes);
  }
  BOOST_TEST(config::print_duration(config::Milliseconds(120000)) == "2m");
  BOOST_TEST(config::print_size(33554432) == "32MiB");
}

BOOST_AUTO_TEST_CASE(endpoints) {
  const std::tuple<std::string, std::string, int> good[] = {
      {"127.0.0.1:7333", "127.0.0.1", 7333},
      {"localhost:0", "localhost", 0},
      {"[::1]:65535", "[::1]", 65535},
      {"my_host-1.example:80", "my_host-1.example", 80}};
  for (const auto& [text, host, port] : good) {
    const auto parsed = config::parse_endpoint(text);
    BOOST_TEST_REQUIRE(parsed.has_value(), text);
    BOOST_TEST(parsed->host == host);
    BOOST_TEST(parsed->port == port);
    BOOST_TEST(config::to_string(*parsed) == text);
  }
  for (const std::string bad :
       {"", ":80", "host", "host:", "host:65536", "host:-1", "host:-0", "host:8o", "::1:80", "[::1]", "[::1",
        "[1]:80", "[]:80", "a b:80", "host:80:80", "h\xC3\xA4:80"}) {
    BOOST_TEST(!config::parse_endpoint(bad).has_value(), bad);
  }
  BOOST_TEST(!config::parse_endpoint(std::string(254, 'a') + ":1").has_value());
}

BOOST_AUTO_TEST_CASE(upstream_urls) {
  BOOST_TEST(config::parse_upstream_url("http://q")->address.port == 6333);
  BOOST_TEST(config::parse_upstream_url("http://q:80/")->address.port == 80);
  BOOST_TEST(config::parse_upstream_url("http://[::1]")->address.host == "[::1]");
  BOOST_TEST(!config::parse_upstream_url("http://q")->tls);
  BOOST_TEST(config::parse_upstream_url("https://q")->tls);
  BOOST_TEST(config::parse_upstream_url("https://q")->address.port == 6333);
  BOOST_TEST(config::parse_upstream_url("https://q:443/")->address.port == 443);
  for (const std::string bad :
       {"", "q:80", "httpss://q", "https://", "https://u:p@q", "http://", "http://q/path", "http://u:p@q",
        "http://q:0", "http://q:99999", "http://q//", "http://q?x"}) {
    BOOST_TEST(!config::parse_upstream_url(bad).has_value(), bad);
  }
}

BOOST_AUTO_TEST_CASE(booleans_and_integers) {
  for (const std::string yes : {"true", "TRUE", "True", "1"}) {
    BOOST_TEST(config::parse_boolean(yes).value_or(false), yes);
  }
  for (const std::string no : {"false", "FALSE", "0"}) {
    BOOST_TEST(!config::parse_boolean(no).value_or(true), no);
  }
  for (const std::string bad : {"", "yes", "on", "2", " true"}) {
    BOOST_TEST(!config::parse_boolean(bad).has_value(), bad);
  }
  BOOST_TEST(*config::parse_integer("-7") == -7);
  for (const std::string bad : {"", "1.0", "+1", "0x10", "1e3", "9223372036854775808", "7 "}) {
    BOOST_TEST(!config::parse_integer(bad).has_value(), bad);
  }
}

BOOST_AUTO_TEST_CASE(globs) {
  const std::tuple<std::string, std::string, bool> table[] = {{"docs", "docs", true},
                                                              {"docs", "doc", false},
                                                              {"*", "", true},
                                                              {"*", "x/y", true},
                                                              {"do*", "docs", true},
                                                              {"*cs", "docs", true},
                                                              {"d?cs", "docs", true},
                                                              {"d?cs", "dcs", false},
                                                              {"?", "\xC3\xA4", true},
                                                              {"?", "\xC3\xA4\x62", false},
                                                              {"a*b*c", "a1b2b3c", true},
                                                              {"a*b*c", "a1b2b3", false},
                                                              {"**", "docs", true},
                                                              {"", "", true},
                                                              {"", "a", false},
                                                              {"?*", "", false}};
  for (const auto& [pattern, name, matches] : table) {
    BOOST_TEST(config::glob_matches(pattern, name) == matches, pattern << " on " << name);
  }
  // Many stars against a long name: a naive matcher would not come back.
  std::string stars;
  for (int i = 0; i < 60; ++i) {
    stars += "a*";
  }
  BOOST_TEST(!config::glob_matches(stars + "b", std::string(2000, 'a')));
}

BOOST_AUTO_TEST_SUITE_END()
