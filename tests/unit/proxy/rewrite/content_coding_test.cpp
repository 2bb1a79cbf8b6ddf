#include "proxy/rewrite/content_coding.hpp"

#include <zlib.h>

#include <boost/test/unit_test.hpp>
#include <string>

using namespace qrerank::proxy::rewrite;

namespace {

std::string gzip(const std::string& plain) {
  z_stream stream{};
  BOOST_REQUIRE_EQUAL(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, plain.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  BOOST_REQUIRE_EQUAL(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(content_coding_suite)

BOOST_AUTO_TEST_CASE(a_body_comes_back_whole) {
  for (const std::size_t size : {0u, 1u, 1000u, 32768u, 32769u, 1000000u}) {
    std::string plain(size, 'x');
    for (std::size_t i = 0; i < size; i += 7) plain[i] = static_cast<char>('a' + i % 26);
    const auto back = inflate_gzip(gzip(plain), size);
    BOOST_REQUIRE(back.has_value());
    BOOST_TEST((*back == plain));
  }
}

BOOST_AUTO_TEST_CASE(several_members_are_joined) {
  const auto back = inflate_gzip(gzip("one ") + gzip("two"), 100);
  BOOST_REQUIRE(back.has_value());
  BOOST_TEST(*back == "one two");
}

BOOST_AUTO_TEST_CASE(one_byte_over_the_limit_is_refused) {
  const std::string plain(100000, 'z');
  BOOST_TEST((inflate_gzip(gzip(plain), plain.size()).has_value()));
  const auto refused = inflate_gzip(gzip(plain), plain.size() - 1);
  BOOST_REQUIRE(!refused.has_value());
  BOOST_TEST((refused.error() == InflateError::too_large));
}

BOOST_AUTO_TEST_CASE(every_cut_and_every_changed_checksum_is_malformed) {
  const auto whole =
      gzip("some text that is long enough to have a body of several bytes, several bytes, bytes");
  for (std::size_t cut = 0; cut < whole.size(); ++cut) {
    const auto result = inflate_gzip(std::string_view(whole).substr(0, cut), 1000);
    BOOST_TEST_INFO("cut at " << cut);
    BOOST_REQUIRE(!result.has_value());
    BOOST_TEST((result.error() == InflateError::malformed));
  }
  auto changed = whole;
  changed[changed.size() - 6] ^= 1;
  BOOST_TEST(!inflate_gzip(changed, 1000).has_value());
  BOOST_TEST(!inflate_gzip(whole + "garbage", 1000).has_value());
  BOOST_TEST(!inflate_gzip("{\"limit\":1}", 1000).has_value());
}

BOOST_AUTO_TEST_CASE(names_of_codings) {
  BOOST_TEST((content_coding("") == ContentCoding::identity));
  BOOST_TEST((content_coding(" identity ") == ContentCoding::identity));
  BOOST_TEST((content_coding("GZIP") == ContentCoding::gzip));
  BOOST_TEST((content_coding("x-gzip") == ContentCoding::gzip));
  BOOST_TEST((content_coding("br") == ContentCoding::other));
  BOOST_TEST((content_coding("gzip, gzip") == ContentCoding::other));
}

BOOST_AUTO_TEST_SUITE_END()
