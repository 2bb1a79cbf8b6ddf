// What of a head travels on, and in which bytes.
#include "proxy/http/head_writer.hpp"

#include <boost/test/unit_test.hpp>
#include <string>

using namespace qrerank::proxy::http;

namespace {

std::string relayed(const std::string& bytes, bool drop_expect = false) {
  RequestHead head;
  BOOST_REQUIRE(!parse_head(bytes, head));
  std::string out;
  append_relayed_request(out, head, examine(head).value(), drop_expect);
  return out;
}

std::string relayed_response(const std::string& bytes, const ResponseStyle& style) {
  ResponseHead head;
  BOOST_REQUIRE(!parse_head(bytes, head));
  std::string out;
  append_relayed_response(out, head, style);
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(head_writer)

BOOST_AUTO_TEST_CASE(end_to_end_bytes_are_kept) {
  const std::string bytes =
      "PUT /a?b HTTP/1.1\r\nhOST:x\r\nB:   1\r\na: 2\r\nb: 3\r\nContent-Length: 3\r\nEmpty:\r\n\r\n";
  BOOST_TEST(relayed(bytes) == bytes);
}

BOOST_AUTO_TEST_CASE(hop_by_hop_fields_are_left_out) {
  BOOST_TEST(
      relayed(
          "GET / HTTP/1.1\r\nHost: q\r\nConnection: close, x-A ,, b\r\nX-a: 1\r\nB: 2\r\nKeep-Alive: "
          "1\r\nTE: "
          "trailers\r\n"
          "Proxy-Connection: a\r\nProxy-Authorization: b\r\nProxy-Authenticate: c\r\nHTTP2-Settings: d\r\n"
          "Upgrade: h2c\r\nC: 3\r\n\r\n") == "GET / HTTP/1.1\r\nHost: q\r\nC: 3\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(framing_and_host_cannot_be_named_away) {
  BOOST_TEST(
      relayed(
          "POST / HTTP/1.1\r\nConnection: host, content-length\r\nHost: x\r\nContent-Length: 1\r\n\r\n") ==
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(upgrade_is_asked_for_on_our_own_connection) {
  BOOST_TEST(relayed("GET / HTTP/1.1\r\nHost: q\r\nConnection: Upgrade\r\nUpgrade: ws\r\n\r\n") ==
             "GET / HTTP/1.1\r\nHost: q\r\nUpgrade: ws\r\nConnection: Upgrade\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(expectations) {
  const std::string fields = "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n";
  BOOST_TEST(relayed("POST / HTTP/1.1\r\nHost: q\r\n" + fields) == "POST / HTTP/1.1\r\nHost: q\r\n" + fields);
  BOOST_TEST(relayed("POST / HTTP/1.1\r\nHost: q\r\n" + fields, true) ==
             "POST / HTTP/1.1\r\nHost: q\r\nContent-Length: 1\r\n\r\n");
  BOOST_TEST(relayed("POST / HTTP/1.0\r\nHost: q\r\n" + fields) ==
             "POST / HTTP/1.1\r\nHost: q\r\nContent-Length: 1\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(held_requests_have_one_length) {
  std::string out;
  append_held_request(out, "POST", "/p",
                      {{"Transfer-Encoding", "chunked"}, {"Expect", "100-continue"}, {"A", "b"}}, 7);
  BOOST_TEST(out == "POST /p HTTP/1.1\r\ncontent-length: 7\r\nA: b\r\n\r\n");
  out.clear();
  append_held_request(out, "POST", "/p", {{"Content-LENGTH", "9"}, {"content-length", "9"}}, 7);
  BOOST_TEST(out == "POST /p HTTP/1.1\r\nContent-LENGTH: 7\r\n\r\n");
  out.clear();
  append_held_request(out, "POST", "/p", {}, 0);
  BOOST_TEST(out == "POST /p HTTP/1.1\r\ncontent-length: 0\r\n\r\n");
  out.clear();
  append_held_request(out, "GET", "/p", {{"A", "b"}}, std::nullopt);
  BOOST_TEST(out == "GET /p HTTP/1.1\r\nA: b\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(responses) {
  const std::string chunked =
      "HTTP/1.1 299 Odd  Phrase\r\nTransfer-Encoding: chunked\r\nConnection: x\r\nX: 1\r\nY:2\r\n\r\n";
  const std::string length = "HTTP/1.0 200 OK\r\nContent-Length: 3\r\nKeep-Alive: 5\r\nY:2\r\n\r\n";
  const std::vector<Field> added{{"Z", "3"}};
  BOOST_TEST(
      relayed_response("HTTP/1.1 200 OK\r\nz:1\r\nZZ: 2\r\nContent-Length: 0\r\n\r\n", {.added = &added}) ==
      "HTTP/1.1 200 OK\r\nZZ: 2\r\nContent-Length: 0\r\nZ: 3\r\n\r\n");
  BOOST_TEST(relayed_response(chunked, {.added = &added}) ==
             "HTTP/1.1 299 Odd  Phrase\r\nTransfer-Encoding: chunked\r\nY:2\r\nZ: 3\r\n\r\n");
  BOOST_TEST(relayed_response(chunked, {.close = true, .drop_coding = true}) ==
             "HTTP/1.1 299 Odd  Phrase\r\nY:2\r\nconnection: close\r\n\r\n");
  BOOST_TEST(relayed_response(length, {.keep_alive_10 = true}) ==
             "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nY:2\r\nconnection: keep-alive\r\n\r\n");
  BOOST_TEST(relayed_response(length, {.drop_length = true}) == "HTTP/1.1 200 OK\r\nY:2\r\n\r\n");
  BOOST_TEST(
      relayed_response("HTTP/1.1 101 Go\r\nUpgrade: ws\r\nConnection: Upgrade\r\n\r\n", {.upgrade = true}) ==
      "HTTP/1.1 101 Go\r\nUpgrade: ws\r\nconnection: upgrade\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(replies_of_ours) {
  Reply reply;
  reply.fields = {
      {"Content-Length", "99"}, {"transfer-encoding", "chunked"}, {"Connection", "x"}, {"A", "b"}};
  reply.body = "abc";
  std::string out;
  append_reply_head(out, reply, false, false);
  BOOST_TEST(out == "HTTP/1.1 200 OK\r\nA: b\r\ncontent-length: 3\r\n\r\n");
  BOOST_TEST(body_behind(reply, false) == "abc");
  BOOST_TEST(body_behind(reply, true) == "");
  out.clear();
  append_reply_head(out, reply, true, true);
  BOOST_TEST(out == "HTTP/1.1 200 OK\r\nA: b\r\ncontent-length: 3\r\nconnection: close\r\n\r\n");
  out.clear();
  reply.status = 204;
  append_reply_head(out, reply, false, true);
  BOOST_TEST(out == "HTTP/1.1 204 No Content\r\nA: b\r\nconnection: keep-alive\r\n\r\n");
  BOOST_TEST(body_behind(reply, false) == "");
}

BOOST_AUTO_TEST_SUITE_END()
