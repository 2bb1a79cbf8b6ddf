// Plain message values.
#include "proxy/http/message.hpp"

#include <boost/test/unit_test.hpp>

using namespace qrerank::proxy::http;

BOOST_AUTO_TEST_SUITE(message)

BOOST_AUTO_TEST_CASE(names_compare_without_case) {
  BOOST_TEST(iequals("Content-Length", "content-LENGTH"));
  BOOST_TEST(!iequals("a", "ab"));
  BOOST_TEST(!iequals("[", "{"));  // differ by the same bit as letters do
  BOOST_TEST(iequals("", ""));
}

BOOST_AUTO_TEST_CASE(find_takes_the_first) {
  RequestHead head;
  head.fields = {{"A", "1"}, {"b", "2"}, {"B", "3"}};
  BOOST_REQUIRE(head.find("B") != nullptr);
  BOOST_TEST(head.find("B")->value == "2");
  BOOST_TEST(head.find("c") == nullptr);
}

BOOST_AUTO_TEST_CASE(errors_have_qdrants_shape) {
  const Reply reply = error_reply(400, "say \"no\"\\ \n\x01 \xc3\xa9");
  BOOST_TEST(reply.status == 400u);
  BOOST_TEST(reply.body ==
             "{\"status\":{\"error\":\"say \\\"no\\\"\\\\ \\n\\u0001 \xc3\xa9\"},\"time\":0.0}");
  BOOST_REQUIRE(reply.fields.size() == 1u);
  BOOST_TEST(reply.fields[0].value == "application/json");
}

BOOST_AUTO_TEST_CASE(phrases) {
  BOOST_TEST(reason_phrase(502) == "Bad Gateway");
  BOOST_TEST(reason_phrase(799) == "Unknown");
}

BOOST_AUTO_TEST_SUITE_END()
