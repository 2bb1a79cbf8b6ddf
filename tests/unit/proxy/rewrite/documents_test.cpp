// Documents wherever Qdrant takes a vector, and nothing else.
#include <boost/test/unit_test.hpp>
#include <limits>
#include <string>
#include <vector>

#include "proxy/rewrite/documents.hpp"

using namespace qrerank::proxy::rewrite;

namespace {

// `D1`, `D2`, … stand for Documents with the texts "1", "2", …
std::string spelled(std::string body) {
  for (std::size_t at = 0; (at = body.find('D', at)) != std::string::npos;)
    body.replace(at, 2, R"({"text":")" + body.substr(at + 1, 1) + R"(","model":"m","options":{"a":[1]}})");
  return body;
}

std::string found(const std::string& body, bool batch = false, SearchKind kind = SearchKind::query) {
  std::string texts;
  for (const auto& document : documents_in(spelled(body), kind, batch)) texts += document.text;
  return texts;
}

const DocumentVectors kVectors = {{{"m", "1"}, "[1]"}, {{"m", "2"}, "[2]"}, {{"other", "3"}, "[3]"}};

std::string replaced(const std::string& body, bool batch = false) {
  return with_vectors(spelled(body), SearchKind::query, batch, kVectors);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(documents)

BOOST_AUTO_TEST_CASE(every_input_of_a_query_is_found) {
  BOOST_TEST(found(R"({"query":D1})") == "1");
  BOOST_TEST(found(R"({"query":{"nearest":D1,"mmr":{"diversity":0.5}}})") == "1");
  BOOST_TEST(
      found(
          R"({"query":{"recommend":{"positive":[D1,7,[0.5],D2],"negative":[D3],"strategy":"best_score"}}})") ==
      "123");
  BOOST_TEST(found(R"({"query":{"discover":{"target":D1,"context":[{"positive":D2,"negative":D3}]}}})") ==
             "123");
  BOOST_TEST(found(R"({"query":{"discover":{"target":1,"context":{"positive":D2,"negative":3}}}})") == "2");
  BOOST_TEST(found(R"({"query":{"context":{"positive":D1,"negative":D2}}})") == "12");
  BOOST_TEST(
      found(R"({"query":{"relevance_feedback":{"target":D1,"feedback":[{"example":D2,"score":1}]}}})") ==
      "12");
  BOOST_TEST(found(R"({"prefetch":{"query":D1},"query":{"fusion":"rrf"}})") == "1");
  BOOST_TEST(
      found(
          R"({"prefetch":[{"query":D1,"prefetch":[{"prefetch":{"query":{"nearest":D2}}}]},{"query":D1}]})") ==
      "12");
  BOOST_TEST(found(R"({"searches":[{"query":D1},{"limit":3},{"query":{"nearest":D2}}]})", true) == "12");
}

BOOST_AUTO_TEST_CASE(what_is_no_input_is_left_alone) {
  for (const std::string body :
       {R"({"filter":{"must":[D1]},"query":[1]})", R"({"payload":D1})",
        R"({"query":{"formula":{"nearest":D1}}})", R"({"query":{"text":"no model"}})",
        R"({"query":{"text":5,"model":"m"}})", R"({"query":{"model":"m"}})",
        R"({"query":{"image":"x","model":"m"}})", R"([D1])", "not JSON", "", R"({"query":"D1"})"})
    BOOST_TEST(found(body).empty(), body);
  BOOST_TEST(found(R"({"query":D1})", false, SearchKind::search).empty());
  BOOST_TEST(found(R"({"searches":[{"query":D1}]})", false).empty());
}

BOOST_AUTO_TEST_CASE(only_what_is_known_is_replaced_and_every_other_byte_stays) {
  BOOST_TEST(replaced(R"( {"a":1.0, "query" : D1 ,"limit":3} )") ==
             R"( {"a":1.0, "query" : [1] ,"limit":3} )");
  const std::string stranger = R"({"query":{"text":"1","model":"bm25"}})";
  BOOST_TEST(replaced(stranger) == stranger);
  BOOST_TEST(replaced(R"({"query":{"recommend":{"positive":[D1,D4,D2]}}})") ==
             spelled(R"({"query":{"recommend":{"positive":[[1],D4,[2]]}}})"));
  BOOST_TEST(replaced(R"({"searches":[{"query":D1},{"query":[5]},{"prefetch":[{"query":D2}]}]})", true) ==
             R"({"searches":[{"query":[1]},{"query":[5]},{"prefetch":[{"query":[2]}]}]})");
  BOOST_TEST(with_vectors(R"({"query":{"model":"\u006d","text":"\u0031"}})", SearchKind::query, false,
                          kVectors) == R"({"query":[1]})");
  BOOST_TEST(with_vectors("{", SearchKind::query, false, kVectors) == "{");
}

BOOST_AUTO_TEST_CASE(numbers_read_back_as_they_were) {
  const std::vector<float> vector = {0.1F, -2.0F, 1e-30F, 3.4028235e38F, 0.0F, 16777217.0F, 1.0F / 3};
  const std::string text = vector_text(vector);
  BOOST_TEST(text.starts_with("[0.1,-2,1e-30,"));
  const auto tree = JsonTree::parse(text);
  BOOST_TEST_REQUIRE(tree.has_value());
  std::vector<float> back;
  for (std::size_t at = 1; at < text.size(); at = text.find_first_of(",]", at) + 1)
    back.push_back(std::strtof(text.c_str() + at, nullptr));
  BOOST_TEST(back == vector, boost::test_tools::per_element());
  BOOST_TEST(vector_text({}) == "[]");
}

BOOST_AUTO_TEST_SUITE_END()
