// Bodies in every framing and every split, and the chunks that go out.
#include "proxy/http/body.hpp"

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <string>

using namespace qrerank::proxy::http;

namespace {

void put(Buffer& buffer, std::string_view bytes) {
  buffer.make_room(buffer.size() + bytes.size() > buffer.capacity() ? buffer.size() + bytes.size()
                                                                    : buffer.capacity());
  std::memcpy(buffer.tail(), bytes.data(), bytes.size());
  buffer.commit(bytes.size());
}

struct Decoded {
  BodyReader::State state = BodyReader::State::need_more;
  std::string data;
  std::string rest;
  std::vector<Field> trailers;
};

// Gives `bytes` to a reader in pieces of `piece`.
Decoded decode(const MessageFacts& facts, std::string_view bytes, std::size_t piece) {
  BodyReader reader(facts);
  Buffer buffer(64);
  Decoded decoded;
  while (!bytes.empty()) {
    const std::string_view part = bytes.substr(0, piece);
    bytes.remove_prefix(part.size());
    put(buffer, part);
    if (reader.done()) continue;
    const BodyReader::Step step = reader.take(buffer);
    decoded.state = step.state;
    if (step.state == BodyReader::State::malformed) return decoded;
    decoded.data.append(step.data);
    buffer.consume(step.consumed);
  }
  decoded.rest = std::string(buffer.view());
  decoded.trailers = reader.trailers();
  return decoded;
}

MessageFacts chunked() {
  return {.framing = Framing::chunked};
}

std::string written(OutgoingBody& body) {
  std::string out;
  for (const auto& piece : body.buffers()) out.append(static_cast<const char*>(piece.data()), piece.size());
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(body)

BOOST_AUTO_TEST_CASE(chunks_in_every_split) {
  const std::string bytes =
      "3\r\nabc\r\n4;x=\"y\"\r\ndefg\r\n0a\r\n0123456789\r\n0\r\nT: 1\r\nU:\r\n\r\nnext";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    const Decoded decoded = decode(chunked(), bytes, piece);
    BOOST_TEST((decoded.state == BodyReader::State::done), "piece " << piece);
    BOOST_TEST(decoded.data == "abcdefg0123456789");
    BOOST_TEST(decoded.rest == "next");
    BOOST_REQUIRE(decoded.trailers.size() == 2u);
    BOOST_TEST(decoded.trailers[0].name == "T");
    BOOST_TEST(decoded.trailers[0].value == "1");
    BOOST_TEST(decoded.trailers[1].value == "");
  }
}

BOOST_AUTO_TEST_CASE(malformed_chunks_in_every_split) {
  for (const std::string bytes :
       {"zzz\r\nabc\r\n0\r\n\r\n", "3\nabc\n0\n\n..", "3\r\nabcd\r\n0\r\n\r\n", "3\r\nabc0\r\n\r\n.....",
        "-1\r\nabc\r\n", "0x3\r\nabc\r\n0\r\n\r\n", "3 \r\nabc\r\n0\r\n\r\n", "\r\nabc\r\n",
        "fffffffffffffffff\r\nabc", "3;\r\nabc\r\n0\r\n\r\n", "3;a\nb\r\nabc\r\n0\r\n\r\n",
        "3;a=\"\n\"\r\nabc\r\n0\r\n\r\n", "0\r\nContent-Length: 1\r\n\r\n", "0\r\nHost: x\r\n\r\n",
        "0\r\nA: b\r\n c\r\n\r\n", "0\r\nA:\r\n c\r\n\r\n", "0\r\nA : b\r\n\r\n", "0\r\nA: b\n\r\n\r\n"}) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, bytes.size()}) {
      BOOST_TEST((decode(chunked(), bytes, piece).state == BodyReader::State::malformed),
                 bytes << " by " << piece);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_size_line_has_a_bound) {
  const std::string bytes = "3;" + std::string(17 * 1024, 'a');
  BOOST_TEST((decode(chunked(), bytes, 1000).state == BodyReader::State::malformed));
}

BOOST_AUTO_TEST_CASE(lengths) {
  for (std::size_t piece = 1; piece < 8; ++piece) {
    const Decoded decoded = decode({.framing = Framing::length, .length = 5}, "abcdefg", piece);
    BOOST_TEST((decoded.state == BodyReader::State::done));
    BOOST_TEST(decoded.data == "abcde");
    BOOST_TEST(decoded.rest == "fg");
  }
  BodyReader large({.framing = Framing::length, .length = 18446744073709551615u});
  Buffer buffer(64);
  put(buffer, "ab");
  BOOST_TEST((large.take(buffer).state == BodyReader::State::need_more));
  BOOST_TEST(large.remaining() == 18446744073709551613u);
}

BOOST_AUTO_TEST_CASE(until_close_ends_when_told) {
  BodyReader reader({.framing = Framing::until_close});
  Buffer buffer(64);
  put(buffer, "ab");
  BOOST_TEST(reader.take(buffer).data == "ab");
  BOOST_TEST(!reader.done());
  reader.finish();
  BOOST_TEST(reader.done());
}

BOOST_AUTO_TEST_CASE(no_body_is_done) {
  BodyReader reader;
  Buffer buffer(64);
  put(buffer, "next");
  BOOST_TEST(reader.done());
  BOOST_TEST((reader.take(buffer).state == BodyReader::State::done));
  BOOST_TEST(buffer.view() == "next");
}

BOOST_AUTO_TEST_CASE(outgoing_chunks) {
  OutgoingBody out(true);
  out.add_raw("HEAD");
  out.add("0123456789abcdef");
  out.add("");
  out.add("x");
  out.add_end({{"T", "1"}});
  BOOST_TEST(written(out) == "HEAD10\r\n0123456789abcdef\r\n1\r\nx\r\n0\r\nT: 1\r\n\r\n");
}

BOOST_AUTO_TEST_CASE(outgoing_plain) {
  OutgoingBody out(false);
  BOOST_TEST(out.empty());
  out.add("ab");
  out.add_end({{"T", "1"}});
  BOOST_TEST(written(out) == "ab");
}

BOOST_AUTO_TEST_CASE(buffer_moves_and_shrinks) {
  Buffer buffer(4);
  put(buffer, "abcd");
  buffer.consume(2);
  BOOST_TEST(buffer.tail_size() == 0u);
  buffer.make_room(4);
  BOOST_TEST(buffer.tail_size() == 2u);
  buffer.make_room(8);
  BOOST_TEST(buffer.view() == "cd");
  BOOST_TEST(buffer.capacity() == 8u);
  buffer.reset(4);
  BOOST_TEST(buffer.empty());
  BOOST_TEST(buffer.capacity() == 4u);
}

BOOST_AUTO_TEST_SUITE_END()
