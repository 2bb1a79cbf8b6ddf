// How a search object is read: what is refused, which Documents it has, where options may stand.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "proxy/rewrite/request_shape.hpp"

using namespace qrerank::proxy::rewrite;

namespace {

std::string refusal(const std::string& text, SearchKind kind) {
  const auto tree = JsonTree::parse(text);
  BOOST_REQUIRE_MESSAGE(tree.has_value(), text);
  return read_search(tree->root(), kind).refused;
}

std::string text_of(const std::string& text, std::size_t max_chars = 100) {
  const auto tree = JsonTree::parse(text);
  BOOST_REQUIRE_MESSAGE(tree.has_value(), text);
  return document_text(tree->root(), SearchKind::query, max_chars);
}

bool has_order(const std::string& text, SearchKind kind = SearchKind::query) {
  const auto tree = JsonTree::parse(text);
  BOOST_REQUIRE_MESSAGE(tree.has_value(), text);
  const SearchShape shape = read_search(tree->root(), kind);
  BOOST_REQUIRE_MESSAGE(shape.refused.empty(), text << ": " << shape.refused);
  return shape.query.has_order;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(shape)

BOOST_AUTO_TEST_CASE(refused_searches) {
  const std::vector<std::string> queries = {
      "[]",
      "3",
      R"({"query":1,"limit":0})",
      R"({"query":1,"limit":-1})",
      R"({"query":1,"limit":3.0})",
      R"({"query":1,"limit":"3"})",
      R"({"query":1,"limit":true})",
      R"({"query":1,"limit":18446744073709551616})",
      R"({"query":1,"offset":-1})",
      R"({"query":1,"offset":1.5})",
      R"({"query":1,"offset":"0"})",
      R"({"query":1,"limit":1,"limit":1})",
      R"({"query":1,"limit":null,"l\u0069mit":1})",
      R"({"query":1,"query":1})",
      R"({"query":1,"with_vector":true,"with_vectors":true})",
      R"({"query":1,"with_payload":true,"with_payload":true})",
      R"({"query":1,"params":{},"params":{}})",
      R"({"query":1,"prefetch":3})",
      R"({"query":1,"prefetch":"x"})",
      R"({"query":1,"prefetch":[3]})",
      R"({"query":1,"prefetch":[{},null]})",
      R"({"query":1,"prefetch":{"limit":0}})",
      R"({"query":1,"prefetch":{"limit":2.0}})",
      R"({"query":1,"prefetch":[{"limit":1,"limit":1}]})",
      R"({"query":1,"prefetch":{"prefetch":{"limit":-2}}})",
      R"({"query":{"nearest":1,"mmr":{"candidates_limit":1.0}}})",
      R"({"query":{"nearest":1,"nearest":1}})",
      R"({"query":{"text":"a","text":"b","model":"m"}})",
      R"({"query":{"nearest":1,"mmr":{"diversity":1,"diversity":1}}})",
  };
  for (const std::string& text : queries) {
    BOOST_TEST(!refusal(text, SearchKind::query).empty(), text);
  }
  const std::vector<std::string> legacy = {
      R"({"vector":[1]})",
      R"({"vector":[1],"limit":null})",
      R"({"vector":[1],"top":null})",
      R"({"vector":[1],"top":0})",
      R"({"vector":[1],"limit":1,"top":1})",
      R"({"vector":[1],"limit":1,"with_vector":true,"with_vectors":false})",
      R"({"vector":[1],"vector":[1],"limit":1})",
  };
  for (const std::string& text : legacy) {
    BOOST_TEST(!refusal(text, SearchKind::search).empty(), text);
  }
  BOOST_TEST(!refusal(R"({"positive":[1]})", SearchKind::recommend).empty());
  BOOST_TEST(!refusal(R"({"positive":[1],"positive":[1],"limit":2})", SearchKind::recommend).empty());
  BOOST_TEST(!refusal(R"({"target":1})", SearchKind::discover).empty());
}

BOOST_AUTO_TEST_CASE(taken_searches) {
  const std::vector<std::string> queries = {
      "{}",
      R"({"query":1,"limit":null,"offset":null,"with_payload":null,"with_vector":null,"prefetch":null})",
      R"({"query":1,"limit":18446744073709551615,"offset":0})",
      R"({"query":1,"top":0,"vector":1,"vector":2})",  // not of this endpoint
      R"({"query":1,"x":1,"x":2})",
      R"({"query":1,"prefetch":[]})",
      R"({"query":1,"prefetch":{"limit":null,"offset":-1}})",
      R"({"query":{"nearest":1,"mmr":null}})",
      R"({"query":{"nearest":1,"mmr":{"candidates_limit":0}}})",
      R"({"query":1,"filter":{"limit":0,"limit":0}})",
  };
  for (const std::string& text : queries) {
    BOOST_TEST(refusal(text, SearchKind::query) == "", text);
  }
  BOOST_TEST(refusal(R"({"vector":[1],"top":3,"query":1,"query":2,"prefetch":3})", SearchKind::search) == "");
}

BOOST_AUTO_TEST_CASE(orders) {
  for (const char* text :
       {"{}", R"({"query":null})", R"({"query":{"order_by":"x"}})", R"({"query":{"sample":"random"}})",
        R"({"query":{"context":[]}})", R"({"query":{"order_by":"x","fusion":"rrf"}})",
        R"({"query":{"nearest":null,"context":[]}})"}) {
    BOOST_TEST(!has_order(text), text);
  }
  for (const char* text :
       {R"({"query":1})", R"({"query":"5c56c793-69f3-4fbf-87e6-c4bf54c28c26"})", R"({"query":[0.1]})",
        R"({"query":{"nearest":[1],"order_by":"x"}})", R"({"query":{"recommend":{}}})",
        R"({"query":{"discover":{}}})", R"({"query":{"fusion":"rrf"}})", R"({"query":{"rrf":{}}})",
        R"({"query":{"formula":{}}})", R"({"query":{"relevance_feedback":{}}})",
        R"({"query":{"text":"a","model":"m","sample":1}})", R"({"query":{"indices":[1],"values":[1]}})",
        R"({"query":{"fusion":"rrf","sample":"random"}})"}) {
    BOOST_TEST(has_order(text), text);
  }
  BOOST_TEST(has_order(R"({"vector":[1],"limit":1})", SearchKind::search));
  BOOST_TEST(has_order(R"({"positive":[1],"limit":1})", SearchKind::recommend));
  BOOST_TEST(has_order(R"({"target":1,"limit":1})", SearchKind::discover));
  BOOST_TEST(!has_order(R"({"context":[],"limit":1})", SearchKind::discover));
  BOOST_TEST(!has_order(R"({"target":null,"context":[],"limit":1})", SearchKind::discover));
}

BOOST_AUTO_TEST_CASE(models_of_documents) {
  const auto models = [](const std::string& text, SearchKind kind = SearchKind::query) {
    std::string joined;
    for (const auto& model : document_models(JsonTree::parse(text)->root(), kind)) {
      joined += model + ";";
    }
    return joined;
  };
  BOOST_TEST(models(R"({"query":{"text":"a","model":"m\u0031"}})") == "m1;");
  BOOST_TEST(
      models(R"({"query":{"nearest":{"text":"a","model":"q"}},"prefetch":[{"query":{"text":"","model":"p"}},
                        {"prefetch":{"query":{"text":"b","model":"deep"}},"query":[1]}]})") == "q;p;deep;");
  BOOST_TEST(models(R"({"query":{"text":"a"}})") == "");
  BOOST_TEST(models(R"({"query":{"text":"a","model":5}})") == "");
  BOOST_TEST(models(R"({"query":{"text":"a","model":""}})") == "");
  BOOST_TEST(models(R"({"query":{"model":"m"}})") == "");
  BOOST_TEST(models(R"({"query":{"text":"a","model":"m"}})", SearchKind::search) == "");
}

BOOST_AUTO_TEST_CASE(document_texts) {
  BOOST_TEST(text_of(R"({"query":{"text":"a fox","model":"m"}})") == "a fox");
  BOOST_TEST(text_of(R"({"query":{"nearest":{"text":"a f\u00f6x","model":"m"}}})") == "a f\xc3\xb6x");
  BOOST_TEST(text_of(R"({"prefetch":{"query":{"text":"p","model":"m"}},"query":{"fusion":"rrf"}})") == "p");
  BOOST_TEST(
      text_of(R"({"prefetch":[{"query":[1]},{"query":{"nearest":{"text":"p","model":"m"}}}],"query":[1]})") ==
      "p");
  // Depth first: the first prefetch's own prefetches come before the second prefetch.
  BOOST_TEST(text_of(R"({"prefetch":[{"prefetch":{"query":{"text":"deep","model":"m"}}},
                                     {"query":{"text":"second","model":"m"}}],"query":[1]})") == "deep");
  BOOST_TEST(text_of(R"({"prefetch":{"query":{"text":"p","model":"m"}},"query":{"text":"q","model":"m"}})") ==
             "q");
  // A blank one is none.
  BOOST_TEST(
      text_of(R"({"prefetch":{"query":{"text":"p","model":"m"}},"query":{"text":" \n","model":"m"}})") ==
      "p");
  BOOST_TEST(text_of(R"({"query":{"text":"","model":"m"}})") == "");
  BOOST_TEST(text_of(R"({"query":{"text":5,"model":"m"}})") == "");
  BOOST_TEST(text_of(R"({"query":"a fox"})") == "");
  BOOST_TEST(text_of(R"({"query":{"recommend":{"positive":[{"text":"a","model":"m"}]}}})") == "");
  BOOST_TEST(text_of(R"({"filter":{"query":{"text":"a","model":"m"}}})") == "");
  // Cut by code points.
  BOOST_TEST(text_of("{\"query\":{\"text\":\"\xc3\xa9\xc3\xa9\xc3\xa9\",\"model\":\"m\"}}", 2) ==
             "\xc3\xa9\xc3\xa9");
  const auto tree =
      JsonTree::parse(R"({"vector":{"text":"a","model":"m"},"query":{"text":"a","model":"m"},"limit":1})");
  BOOST_TEST(document_text(tree->root(), SearchKind::search, 10) == "");
}

BOOST_AUTO_TEST_CASE(places) {
  const std::string text =
      R"({"params":{"a":1},"filter":{"params":{}},"query":{"nearest":{"text":"t","model":"m","options":{"b":1}}},
      "prefetch":[{"params":{"not":1},"query":{"text":"t","model":"m","options":{"c":1}}},{"query":{"text":"t","options":3}}],"options":{"not":1}})";
  const auto tree = JsonTree::parse(text);
  BOOST_REQUIRE(tree.has_value());
  std::vector<std::string> found;
  for (const JsonValue& place : option_places(tree->root(), SearchKind::query)) {
    found.emplace_back(place.raw());
  }
  BOOST_TEST(found == (std::vector<std::string>{text, "{\"a\":1}", "{\"b\":1}", "{\"c\":1}"}),
             boost::test_tools::per_element());
  BOOST_TEST(option_places(tree->root(), SearchKind::search).size() == 2u);
  const auto list = JsonTree::parse("[{\"params\":{}}]");
  BOOST_TEST(option_places(list->root(), SearchKind::query).empty());
}

BOOST_AUTO_TEST_SUITE_END()
