// What a head becomes on its way: bytes in, bytes out.
#include "proxy/http/forwarding.hpp"

#include <boost/test/unit_test.hpp>

#include "proxy/http/head_writer.hpp"

using namespace qrerank::proxy;
using namespace qrerank::proxy::http;

namespace {

struct Forwarded {
  std::optional<Reply> answer;
  std::string bytes;
};

Forwarded forward(const std::string& bytes, const config::Proxy& settings = {}, bool tls = false) {
  RequestHead head;
  BOOST_REQUIRE(!parse_head(bytes, head));
  const auto facts = examine(head);
  BOOST_REQUIRE(facts.has_value());
  AddedLines lines;
  Forwarded result;
  result.answer = prepare_forwarding(head, *facts, {settings, "10.1.1.1", tls, "up:6333"}, lines);
  append_relayed_request(result.bytes, head, *facts);
  return result;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(forwarding)

BOOST_AUTO_TEST_CASE(nothing_is_changed_unasked) {
  const std::string bytes = "GET /a HTTP/1.1\r\nHost:  q\r\nX-Forwarded-For: 1\r\nMax-Forwards: 0\r\n\r\n";
  BOOST_TEST(forward(bytes).bytes == bytes);
}

BOOST_AUTO_TEST_CASE(absolute_form_becomes_origin_form) {
  BOOST_TEST(forward("GET http://r:1/a?b HTTP/1.1\r\nA: 1\r\nHost: q\r\n\r\n").bytes ==
             "GET /a?b HTTP/1.1\r\nA: 1\r\nHost: r:1\r\n\r\n");
  BOOST_TEST(forward("GET http://q HTTP/1.1\r\nhost:q\r\n\r\n").bytes == "GET / HTTP/1.1\r\nhost:q\r\n\r\n");
  BOOST_TEST(forward("GET http://q?b HTTP/1.0\r\n\r\n").bytes == "GET /?b HTTP/1.1\r\nHost: q\r\n\r\n");
  BOOST_TEST(forward("OPTIONS http://q HTTP/1.1\r\nHost: q\r\n\r\n").bytes ==
             "OPTIONS * HTTP/1.1\r\nHost: q\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(a_missing_host_is_the_upstreams) {
  BOOST_TEST(forward("GET /a HTTP/1.0\r\nA: 1\r\n\r\n").bytes ==
             "GET /a HTTP/1.1\r\nHost: up:6333\r\nA: 1\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(forwards_are_counted) {
  const auto options = [](const std::string& count, const std::string& method = "OPTIONS") {
    return forward(method + " /a HTTP/1.1\r\nHost: q\r\nMax-Forwards: " + count + "\r\n\r\n");
  };
  BOOST_TEST(options("7").bytes == "OPTIONS /a HTTP/1.1\r\nHost: q\r\nMax-Forwards: 6\r\n\r\n");
  BOOST_TEST(options("99999999999").bytes.find("Max-Forwards: 4294967295\r\n") != std::string::npos);
  BOOST_TEST(options("0").answer.value().status == 200u);
  BOOST_TEST(options("0", "TRACE").answer.value().status == 405u);
  for (const char* bad : {"", "-1", "+1", "1x", "x", "1, 2", "99999999999x"})
    BOOST_TEST(options(bad).answer.value().status == 400u, bad);
}

BOOST_AUTO_TEST_CASE(what_we_add) {
  config::Proxy settings;
  settings.via = true;
  settings.x_forwarded = config::XForwarded::append;
  BOOST_TEST(forward("GET /a HTTP/1.0\r\nHost: q\r\nx-forwarded-for: 1, 2\r\n\r\n", settings, true).bytes ==
             "GET /a HTTP/1.1\r\nHost: q\r\nVia: 1.0 qrerank\r\nX-Forwarded-For: 1, 2, 10.1.1.1\r\n"
             "X-Forwarded-Proto: https\r\nX-Forwarded-Host: q\r\n\r\n");
  settings.via = false;
  settings.x_forwarded = config::XForwarded::replace;
  BOOST_TEST(
      forward("GET /a HTTP/1.1\r\nHost: q\r\nX-Forwarded-For: 1\r\nX-Forwarded-Host: z\r\n\r\n", settings)
          .bytes ==
      "GET /a HTTP/1.1\r\nHost: q\r\nX-Forwarded-For: 10.1.1.1\r\nX-Forwarded-Proto: http\r\n"
      "X-Forwarded-Host: q\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(a_client_cannot_take_away_what_we_add) {
  const Hop hop{{}, "10.1.1.1", false, "up:6333", "id-1"};
  const auto sent = [&](const std::string& bytes) {
    RequestHead head;
    BOOST_REQUIRE(!parse_head(bytes, head));
    const auto facts = examine(head);
    BOOST_REQUIRE(facts.has_value());
    AddedLines lines;
    BOOST_TEST(!prepare_forwarding(head, *facts, hop, lines).has_value());
    std::string out;
    append_relayed_request(out, head, *facts);
    return out;
  };
  const std::string rest = "\r\nA: 1\r\nConnection: b\r\nX-Request-ID: 2\r\nB: 3\r\n\r\n";
  BOOST_TEST(sent("GET /a HTTP/1.1\r\nHost: q\r\nConnection: close, X-Request-Id" + rest) ==
             "GET /a HTTP/1.1\r\nHost: q\r\nA: 1\r\nx-request-id: id-1\r\n\r\n");
  BOOST_TEST(sent("GET /a HTTP/1.1\r\nHost: q\r\nConnection: x-request-id\r\n\r\n") ==
             "GET /a HTTP/1.1\r\nHost: q\r\nx-request-id: id-1\r\n\r\n");
}

BOOST_AUTO_TEST_SUITE_END()
