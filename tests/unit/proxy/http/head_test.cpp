// Where heads end, what is refused, what the fields say about the body.
#include "proxy/http/head.hpp"

#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <string>

using namespace qrerank::proxy::http;
namespace data = boost::unit_test::data;

namespace {

std::string request(std::string_view fields, std::string_view line = "POST /x HTTP/1.1") {
  const std::string_view host = fields.find("Host:") == std::string_view::npos ? "Host: q\r\n" : "";
  return std::string(line) + "\r\n" + std::string(host) + std::string(fields) + "\r\n";
}

struct Refusal {
  const char* fields;
  unsigned status;
};
std::ostream& operator<<(std::ostream& out, const Refusal& refusal) {
  return out << refusal.fields;
}

// The status that a request with these fields is refused with; 0: it is not.
unsigned refused(const std::string& bytes) {
  RequestHead head;
  if (const auto bad = parse_head(bytes, head)) return bad->status;
  const auto facts = examine(head);
  return facts ? 0 : facts.error().status;
}

MessageFacts response_facts(std::string_view bytes, bool to_head = false) {
  ResponseHead head;
  BOOST_REQUIRE(!parse_head(bytes, head));
  const auto facts = examine(head, to_head);
  BOOST_REQUIRE(facts.has_value());
  return *facts;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(head)

BOOST_AUTO_TEST_CASE(scan_finds_the_end_in_any_split) {
  const std::string bytes = "GET / HTTP/1.1\r\nA: b\r\n\r\nbody\r\n\r\n";
  const std::size_t size = bytes.find("\r\n\r\n") + 4;
  for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
    HeadScan scan;
    const auto first = scan.scan(std::string_view(bytes).substr(0, cut));
    BOOST_TEST((first == (cut >= size ? HeadScan::Result::complete : HeadScan::Result::need_more)),
               "cut " << cut);
    if (first == HeadScan::Result::complete) continue;
    BOOST_TEST((scan.scan(bytes) == HeadScan::Result::complete));
    BOOST_TEST(scan.size() == size);
  }
}

BOOST_AUTO_TEST_CASE(scan_refuses_bare_lf) {
  for (const char* bytes :
       {"\n", "GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nA: b\n\r\n", "GET / HTTP/1.1\r\n\n"}) {
    HeadScan scan;
    BOOST_TEST((scan.scan(bytes) == HeadScan::Result::bare_lf), bytes);
  }
}

BOOST_AUTO_TEST_CASE(parts_are_as_they_came) {
  const std::string bytes = "GET /a%2F?q HTTP/1.0\r\nHost: x\r\nX-Y:\t two  words \r\nEmpty:\r\n\r\n";
  RequestHead head;
  BOOST_REQUIRE(!parse_head(bytes, head));
  BOOST_TEST(head.method == "GET");
  BOOST_TEST(head.target == "/a%2F?q");
  BOOST_TEST(head.version == 10);
  BOOST_REQUIRE(head.fields.size() == 3u);
  BOOST_TEST(head.fields[1].name == "X-Y");
  BOOST_TEST(head.fields[1].value == "two  words");
  BOOST_TEST(head.fields[2].value == "");
  BOOST_TEST((head.fields[0].name.data() >= bytes.data() &&
              head.fields[0].name.data() < bytes.data() + bytes.size()));
}

BOOST_DATA_TEST_CASE(ambiguous_fields_are_refused,
                     data::make({Refusal{"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", 400},
                                 {"Transfer-Encoding: chunked\r\nContent-Length: 1\r\n", 400},
                                 {"Content-Length: 1\r\nContent-Length: 1\r\n", 400},
                                 {"Content-Length: 1\r\nContent-Length: 2\r\n", 400},
                                 {"Content-Length: 1,1\r\n", 400},
                                 {"Content-Length: +1\r\n", 400},
                                 {"Content-Length: 1 1\r\n", 400},
                                 {"Content-Length: 18446744073709551616\r\n", 400},
                                 {"Content-Length: \r\n", 400},
                                 {"Transfer-Encoding: identity\r\n", 400},
                                 {"Transfer-Encoding: chunked, gzip\r\n", 400},
                                 {"Transfer-Encoding: chunked, chunked\r\n", 400},
                                 {"Transfer-Encoding: ,chunked\r\n", 400},
                                 {"Content-Length: 9223372036854775808\r\n", 400},
                                 {"Host: a b\r\n", 400},
                                 {"Transfer-Encoding: gzip, chunked\r\n", 501},
                                 {"Transfer-Encoding: \x0b"
                                  "chunked\r\n",
                                  400},
                                 {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
                                 {"A: b\r\n c\r\n", 400},
                                 {"A:\r\n c\r\n", 400},
                                 {"A: b\r\n \r\n", 400},
                                 {"A : b\r\n", 400},
                                 {"A\r\n", 400},
                                 {"Host: a\r\nHost: b\r\n", 400}}),
                     refusal) {
  BOOST_TEST(refused(request(refusal.fields)) == refusal.status);
}

BOOST_AUTO_TEST_CASE(request_lines_that_are_refused) {
  BOOST_TEST(refused(request("", "GET /x HTTP/1.1")) == 0u);
  BOOST_TEST(refused(request("", "GET /x HTTP/1.2")) == 505u);
  BOOST_TEST(refused(request("", "GET /x HTTP/2.0")) == 505u);
  BOOST_TEST(refused(request("", "GET /x HTTP/1.1 ")) == 400u);
  BOOST_TEST(refused(request("", "GET /x y HTTP/1.1")) == 400u);
  BOOST_TEST(refused(request("", "GET * HTTP/1.1")) == 400u);
  BOOST_TEST(refused("GET /x HTTP/1.1\r\n\r\n") == 400u);
  BOOST_TEST(refused("GET /x HTTP/1.0\r\n\r\n") == 0u);
  BOOST_TEST(refused(request("", "GET /x")) == 400u);
  BOOST_TEST(refused(request("", "GET")) == 400u);
  BOOST_TEST(refused(request("", "G T /x HTTP/1.1")) != 0u);
  BOOST_TEST(refused(request("", "CONNECT x:1 HTTP/1.1")) == 501u);
  BOOST_TEST(refused(request("Transfer-Encoding: chunked\r\n", "POST / HTTP/1.0")) == 400u);
}

BOOST_AUTO_TEST_CASE(status_lines_that_are_refused) {
  for (const char* status : {"000", "099", "20", "2000", "2x0"}) {
    const std::string bytes = std::string("HTTP/1.1 ") + status + " OK\r\ncontent-length: 0\r\n\r\n";
    ResponseHead head;
    BOOST_TEST(parse_head(bytes, head).has_value(), status);
  }
}

BOOST_AUTO_TEST_CASE(request_framing) {
  RequestHead head;
  const auto facts_of = [&](const std::string& bytes) {
    BOOST_REQUIRE(!parse_head(bytes, head));
    return examine(head).value();
  };
  BOOST_TEST((facts_of(request("")).framing == Framing::none));
  BOOST_TEST((facts_of(request("Content-Length: 0\r\n")).framing == Framing::none));
  const MessageFacts length = facts_of(request("Content-Length: 9223372036854775807\r\n"));
  BOOST_TEST((length.framing == Framing::length));
  BOOST_TEST(length.length == 9223372036854775807u);
  BOOST_TEST((facts_of(request("transfer-encoding: Chunked\r\n")).framing == Framing::chunked));
}

BOOST_AUTO_TEST_CASE(connection_options) {
  RequestHead head;
  const auto facts_of = [&](std::string_view fields, std::string_view line = "GET / HTTP/1.1") {
    const std::string bytes = request(fields, line);
    BOOST_REQUIRE(!parse_head(bytes, head));
    return examine(head).value();
  };
  BOOST_TEST(facts_of("").keep_alive);
  BOOST_TEST(!facts_of("Connection: x, Close\r\n").keep_alive);
  BOOST_TEST(!facts_of("Connection: keep-alive\r\nConnection: close\r\n").keep_alive);
  BOOST_TEST(!facts_of("", "GET / HTTP/1.0").keep_alive);
  BOOST_TEST(facts_of("Connection: Keep-Alive\r\n", "GET / HTTP/1.0").keep_alive);
  BOOST_TEST(facts_of("Connection: upgrade\r\nUpgrade: websocket\r\n").upgrade);
  BOOST_TEST(!facts_of("Upgrade: websocket\r\n").upgrade);
  BOOST_TEST(!facts_of("Connection: upgrade\r\nUpgrade: h2c\r\n").upgrade);
  BOOST_TEST(!facts_of("Connection: upgrade\r\nUpgrade: websocket, H2C\r\n").upgrade);
  BOOST_TEST(!facts_of("Connection: upgrade\r\nUpgrade: websocket\r\n", "GET / HTTP/1.0").upgrade);
  BOOST_TEST(facts_of("Expect: 100-Continue\r\n").expect_continue);
}

BOOST_AUTO_TEST_CASE(response_framing) {
  const std::string length = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
  BOOST_TEST((response_facts(length).framing == Framing::length));
  BOOST_TEST((response_facts(length, true).framing == Framing::none));
  BOOST_TEST((response_facts("HTTP/1.1 204 No\r\n\r\n").framing == Framing::none));
  BOOST_TEST((response_facts("HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n").framing == Framing::none));
  BOOST_TEST((response_facts("HTTP/1.1 100 Go\r\n\r\n").framing == Framing::none));
  BOOST_TEST(
      (response_facts("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").framing == Framing::chunked));
  const MessageFacts open = response_facts("HTTP/1.1 200 OK\r\n\r\n");
  BOOST_TEST((open.framing == Framing::until_close));
  BOOST_TEST(!open.keep_alive);
  BOOST_TEST(response_facts(length).keep_alive);
  BOOST_TEST(!response_facts("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n").keep_alive);
}

BOOST_AUTO_TEST_SUITE_END()
