// The table of paths and how request lines are matched against it.
#include "proxy/route/endpoints.hpp"

#include <boost/test/unit_test.hpp>
#include <set>
#include <string>
#include <vector>

using namespace qrerank::proxy::route;

BOOST_AUTO_TEST_SUITE(endpoints)

BOOST_AUTO_TEST_CASE(every_path_of_the_contract_is_a_row) {
  const std::set<std::string_view> expected = {
      "search",    "search/batch",    "search/groups",    "query",    "query/batch",   "query/groups",
      "recommend", "recommend/batch", "recommend/groups", "discover", "discover/batch"};
  std::set<std::string_view> found;
  for (const EndpointRow& row : endpoint_table()) {
    found.insert(row.path);
    const auto matched = match("POST", "/collections/c/points/" + std::string(row.path));
    BOOST_REQUIRE(matched.has_value());
    BOOST_TEST(matched->row == &row);
    BOOST_TEST((row.body == BodyShape::batch) == row.path.ends_with("/batch"));
    BOOST_TEST((row.layout == qrerank::proxy::rewrite::HitLayout::groups) == row.path.ends_with("/groups"));
  }
  BOOST_TEST((found == expected));
}

BOOST_AUTO_TEST_CASE(spellings_of_a_target) {
  const std::vector<std::pair<std::string, std::string>> targets = {
      {"/collections/demo/points/search", "demo"},
      {"/collections/demo/points/search/", "demo"},
      {"//collections/demo//points/search//", "demo"},
      {"/collections/%64emo/points/search", "demo"},
      {"/%63ollections/demo/points/%73earch", "demo"},
      {"/collections/n%20o%20pe/points/search", "n o pe"},
      {"/collections/a+b/points/search", "a+b"},
      {"/collections/%C3%A9/points/search?timeout=3", "\xc3\xa9"},
      {"http://127.0.0.1:6333/collections/demo/points/search", "demo"},
      {"/collections/points/points/search", "points"},
  };
  for (const auto& [target, collection] : targets) {
    const auto matched = match("POST", target);
    BOOST_REQUIRE_MESSAGE(matched.has_value(), target);
    BOOST_TEST(matched->collection == collection);
    BOOST_TEST(matched->row->path == "search");
  }
}

BOOST_AUTO_TEST_CASE(what_does_not_match) {
  for (const char* target :
       {"", "/", "*", "/collections", "/collections/c/points", "/collections/c/points/scroll",
        "/collections/c/points/search/matrix", "/collections/c/points/search/batch/x",
        "/x/collections/c/points/search", "/collections/points/search", "/collections/c/point/search",
        "/collections/c/points/search%2Fbatch", "/collections/a%2Fb/points/search",
        "/collections/%FF/points/search", "/collections/c/points/Search", "/collections/c/points?x=/search",
        "http://h", "http://h?x=/collections/c/points/search", "/collections/c/points/discover/groups"}) {
    BOOST_TEST(!match("POST", target).has_value(), target);
  }
  for (const char* method : {"GET", "PUT", "HEAD", "OPTIONS", "post", ""}) {
    BOOST_TEST(!match(method, "/collections/c/points/search").has_value(), method);
  }
}

BOOST_AUTO_TEST_CASE(parts_of_a_target) {
  BOOST_TEST(split_target("/a?b=/c?d").path == "/a");
  BOOST_TEST(split_target("/a?b=/c?d").query.value() == "b=/c?d");
  BOOST_TEST(split_target("/a?").query.value() == "");
  BOOST_TEST(!split_target("/a").query.has_value());
  BOOST_TEST(split_target("http://h/a?b").path == "/a");
  BOOST_TEST(split_target("/x://y").path == "/x://y");
}

BOOST_AUTO_TEST_CASE(parameters_of_a_query_string) {
  BOOST_TEST(parameters_of("").empty());
  for (const std::string query : {"a", "a=1&b=2", "&", "a&&b", "=&a==b", "a=1&"}) {
    std::string joined;
    for (const Parameter& parameter : parameters_of(query)) {
      joined.append("&").append(parameter.whole);
    }
    BOOST_TEST(joined == "&" + query);
  }
  const auto two = parameters_of("%61=b=c%20&d");
  BOOST_REQUIRE(two.size() == 2u);
  BOOST_TEST(two[0].name == "%61");
  BOOST_TEST(two[0].value == "b=c%20");
  BOOST_TEST(two[1].whole == "d");
  BOOST_TEST(two[1].name == "d");
  BOOST_TEST(two[1].value == "");
}

BOOST_AUTO_TEST_CASE(percent_decoding) {
  BOOST_TEST(percent_decoded("%41%4a%4A+", false) == "AJJ+");
  BOOST_TEST(percent_decoded("a+b%2B", true) == "a b+");
  BOOST_TEST(percent_decoded("%", false) == "%");
  BOOST_TEST(percent_decoded("%4", false) == "%4");
  BOOST_TEST(percent_decoded("50% off %zz %%41", false) == "50% off %zz %A");
}

BOOST_AUTO_TEST_CASE(collection_targets) {
  BOOST_TEST(collection_target("/collections/%64emo/points/query?timeout=5") == "/collections/%64emo");
  BOOST_TEST(collection_target("//collections//c/points/query/batch/") == "/collections/c");
  BOOST_TEST(collection_target("http://h:1/collections/c/points/search") == "/collections/c");
}

BOOST_AUTO_TEST_CASE(reread_targets) {
  BOOST_TEST(reread_target("/collections/%64emo/points/query") == "/collections/%64emo/points");
  BOOST_TEST(reread_target("//collections//c/points/query/?rerank=1&timeout=5&x=y&consistency=all") ==
             "/collections/c/points?timeout=5&consistency=all");
  BOOST_TEST(reread_target("http://h:1/collections/c/points/search?t%69meout=5&") ==
             "/collections/c/points?t%69meout=5");
}

BOOST_AUTO_TEST_SUITE_END()
