// From a kind of failure to a status and an answer.
#define BOOST_TEST_MODULE upstream
#include <boost/test/unit_test.hpp>

#include "proxy/upstream/client.hpp"

using namespace qrerank::proxy::upstream;

BOOST_AUTO_TEST_CASE(timeouts_are_504_nobody_to_ask_503_and_the_rest_502) {
  BOOST_TEST(status_of(UpstreamErrorKind::connect_refused) == 502u);
  BOOST_TEST(status_of(UpstreamErrorKind::cut_off) == 502u);
  BOOST_TEST(status_of(UpstreamErrorKind::malformed) == 502u);
  BOOST_TEST(status_of(UpstreamErrorKind::too_large) == 502u);
  BOOST_TEST(status_of(UpstreamErrorKind::connect_timeout) == 504u);
  BOOST_TEST(status_of(UpstreamErrorKind::timeout) == 504u);
  BOOST_TEST(status_of(UpstreamErrorKind::no_healthy_upstream) == 503u);
}

BOOST_AUTO_TEST_CASE(the_answer_names_what_happened) {
  const auto reply = reply_for({UpstreamErrorKind::timeout, "upstream x: timed out"});
  BOOST_TEST(reply.status == 504u);
  BOOST_TEST(reply.body == R"({"status":{"error":"upstream x: timed out"},"time":0.0})");
}

BOOST_AUTO_TEST_CASE(only_a_503_says_when_to_come_back) {
  const auto reply = reply_for({UpstreamErrorKind::no_healthy_upstream, "no healthy upstream"});
  BOOST_TEST(reply.status == 503u);
  BOOST_TEST(reply.body == R"({"status":{"error":"no healthy upstream"},"time":0.0})");
  BOOST_TEST((reply.fields.back() == qrerank::proxy::http::Field{"retry-after", "2"}));
  for (const auto& field : reply_for({UpstreamErrorKind::cut_off, "x"}).fields)
    BOOST_TEST(field.name != "retry-after");
}
