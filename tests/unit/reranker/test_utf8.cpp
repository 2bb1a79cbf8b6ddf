#include <boost/test/unit_test.hpp>

#include "reranker/utf8.hpp"

namespace qrerank::reranker {
namespace {

BOOST_AUTO_TEST_CASE(code_points_are_counted) {
  BOOST_TEST(count_code_points("").value() == 0U);
  BOOST_TEST(count_code_points("aä€😀").value() == 4U);
  BOOST_TEST(count_code_points(std::string_view("a\0b", 3)).value() == 3U);
  for (const auto* bad :
       {"\x80", "a\xC3", "\xC0\xAF", "\xE0\x80\x80", "\xED\xBF\xBF", "\xF5\x80\x80\x80", "\xFE"}) {
    BOOST_TEST(!count_code_points(bad).has_value());
  }
}

BOOST_AUTO_TEST_CASE(invalid_bytes_are_taken_one_at_a_time) {
  std::string_view text =
      "\xFF"
      "a\xE2\x82"
      "b";
  std::u32string points;
  while (!text.empty()) {
    points += next_code_point(text);
  }
  BOOST_TEST((points == U"\uFFFDa\uFFFD\uFFFDb"));
}

BOOST_AUTO_TEST_CASE(a_piece_is_cut_between_code_points) {
  BOOST_TEST(first_code_points("äöü", 2) == "äö");
  BOOST_TEST(first_code_points("äöü", 3) == "äöü");
  BOOST_TEST(first_code_points("äöü", 9) == "äöü");
  BOOST_TEST(first_code_points("äöü", 0) == "");
  BOOST_TEST(first_code_points("\x80"
                               "a",
                               2) == "\uFFFDa");
}

BOOST_AUTO_TEST_CASE(blank_texts) {
  for (const char* blank :
       {"", " ", "\t\r\n\v\f", "\xc2\xa0", "\xe3\x80\x80 ", "\xe2\x80\x8b", "\xef\xbb\xbf"}) {
    BOOST_TEST(is_blank(blank));
  }
  for (const char* text : {"a", " . ", "\xe6\xbc\xa2", "0"}) {
    BOOST_TEST(!is_blank(text));
  }
}

}  // namespace
}  // namespace qrerank::reranker
