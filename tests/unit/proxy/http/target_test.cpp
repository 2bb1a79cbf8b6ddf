// Which targets and Hosts are any, and what of them goes on.
#include "proxy/http/target.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>

using namespace qrerank::proxy::http;
namespace data = boost::unit_test::data;

BOOST_AUTO_TEST_SUITE(target)

BOOST_AUTO_TEST_CASE(forms) {
  const auto origin = parse_target("GET", "/a?b");
  BOOST_REQUIRE(origin.has_value());
  BOOST_TEST((origin->form == TargetForm::origin));
  BOOST_TEST(origin->path == "/a?b");

  const auto absolute = parse_target("POST", "HTTP://q:6333/a?b=http://c");
  BOOST_REQUIRE(absolute.has_value());
  BOOST_TEST((absolute->form == TargetForm::absolute));
  BOOST_TEST(absolute->authority == "q:6333");
  BOOST_TEST(absolute->path == "/a?b=http://c");

  BOOST_TEST(parse_target("GET", "https://q")->path == "");
  BOOST_TEST(parse_target("GET", "http://q?a")->path == "?a");
  BOOST_TEST((parse_target("OPTIONS", "*")->form == TargetForm::asterisk));
}

BOOST_DATA_TEST_CASE(no_form,
                     data::make({"", "x", "*", "?a", "q:80", "\\x", "/a#b", "ftp://q/", "http:///x",
                                 "http:/q", "http://a@q/", "http://q:x/", "http://q\\/", "://q/"}),
                     text) {
  BOOST_TEST(!parse_target("GET", text).has_value());
}

BOOST_DATA_TEST_CASE(hosts,
                     data::make({"", "q", "Q.example", "my_service:6333", "127.0.0.1", "q:", "q:0", "q:65535",
                                 "a%20b", "[::1]", "[::1]:80", "[2001:db8::1.2.3.4]:"}),
                     text) {
  BOOST_TEST(is_host(text));
}

BOOST_DATA_TEST_CASE(no_hosts, data::make({" ",      "a b",     "a/b",  "a@b",   "a?b",  "a#b",  "a\\b",
                                           "q:80x",  "q:65536", "q:-1", "q:1:2", "::1",  ":80",  "[::1",
                                           "[::1]x", "[q]",     "[]",   "\xe4",  "a\tb", "a,b c"}),
                     text) {
  BOOST_TEST(!is_host(text));
}

BOOST_AUTO_TEST_CASE(segments_of_paths) {
  BOOST_TEST(path_segment("refs/pr/1 \xC3\xA4") == "refs%2Fpr%2F1%20%C3%A4");
  BOOST_TEST(path_segment("aZ09-_.~") == "aZ09-_.~");
}

BOOST_AUTO_TEST_SUITE_END()
