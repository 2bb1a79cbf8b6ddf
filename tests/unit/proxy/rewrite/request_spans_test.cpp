// What the span tree accepts and refuses, and that its spans are the values.
#include <boost/test/unit_test.hpp>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/rewrite/json_spans.hpp"

using namespace qrerank::proxy::rewrite;

namespace {

std::string nested(std::size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

}  // namespace

BOOST_AUTO_TEST_SUITE(spans)

BOOST_AUTO_TEST_CASE(accepts) {
  const std::vector<std::string> texts = {
      "0",
      "-0",
      "-0.5e-7",
      "1E+2",
      "18446744073709551615",
      "123456789012345678901234567890",
      "\"\"",
      "\"\\u00e9\\ud83d\\ude00\\n\\/\\\\\"",
      "null",
      "true",
      "false",
      "[]",
      "{}",
      " \t\r\n{ \"a\" : [ 1 , \"b\" , { } ] } \n",
      "{\"\":1,\"a\":2,\"a\":3}",
      "\"\xc3\xa9\"",
      nested(kMaxJsonDepth),
  };
  for (const std::string& text : texts) {
    const auto tree = JsonTree::parse(text);
    BOOST_TEST(tree.has_value(), text << ": " << (tree ? "" : tree.error()));
  }
}

BOOST_AUTO_TEST_CASE(refuses) {
  const std::vector<std::string> texts = {
      "",
      "  ",
      "{",
      "}",
      "[1,]",
      "[,1]",
      "{\"a\":1,}",
      "{\"a\"}",
      "{\"a\" 1}",
      "{a:1}",
      "{1:1}",
      "[1 2]",
      "[\"a\" \"b\"]",
      "[\"a\"b]",
      "1 2",
      "1,2",
      "{}{}",
      "{} x",
      "[1] ]",
      "1] [2",
      "1],[2",
      "]",
      "[1}",
      "{\"a\":1]",
      "01",
      "+1",
      ".5",
      "1.",
      "1e",
      "-",
      "0x1",
      "1e+",
      "-01",
      "1.e5",
      "1e5.5",
      "-1x",
      "NaN",
      "Infinity",
      "nul",
      "nullx",
      "truex",
      "tru",
      "\"a",
      "\"a\nb\"",
      "\"\x01\"",
      "\"\\q\"",
      "\"\\u12\"",
      "\"\\ud800\"",
      "{\"\\ud800\":1}",
      "'a'",
      "\xef\xbb\xbf{}",
      "\"\xff\"",
      "\"\xc0\x80\"",
      "\"\xed\xa0\x80\"",
      "{\"x\":\"\xe9\"}",
      "// c\n1",
      std::string("1\0", 2),
      nested(kMaxJsonDepth + 1),
      std::string(100000, '['),
  };
  for (const std::string& text : texts) {
    BOOST_TEST(!JsonTree::parse(text).has_value(), text.substr(0, 60));
  }
}

BOOST_AUTO_TEST_CASE(bounds_the_values_kept) {
  std::string many = "[";
  for (std::size_t i = 0; i < kMaxJsonValues; ++i) {
    many += "{},";
  }
  many.back() = ']';
  BOOST_TEST(JsonTree::parse(many).error() == "too many values");
  // Vectors do not count.
  std::string vector = "[";
  for (std::size_t i = 0; i < kMaxJsonValues + 10; ++i) {
    vector += "1,";
  }
  vector.back() = ']';
  const auto tree = JsonTree::parse(vector);
  BOOST_TEST(tree.has_value());
  BOOST_TEST(tree->root().children().empty());
  BOOST_TEST(tree->root().holds_numbers());
}

BOOST_AUTO_TEST_CASE(spans_are_the_values) {
  const std::string text =
      " { \"a\" : [ 1.50 , \"x\" , { } ] , \"\\u0072erank\" :  true , \"s\":\"q\\\"\\u00e9\"} ";
  const auto tree = JsonTree::parse(text);
  BOOST_REQUIRE(tree.has_value());
  const JsonValue root = tree->root();
  BOOST_TEST(root.raw() == text.substr(1, text.size() - 2));
  BOOST_TEST(root.key() == "");
  BOOST_TEST((root.parent() == root));

  std::vector<std::string> keys;
  std::vector<std::string> raws;
  for (const JsonValue member : root.children()) {
    keys.emplace_back(member.key());
    raws.emplace_back(member.raw());
    BOOST_TEST(text[member.member_begin()] == '"');
    BOOST_TEST((member.parent() == root));
  }
  BOOST_TEST(keys == (std::vector<std::string>{"a", "rerank", "s"}), boost::test_tools::per_element());
  BOOST_TEST(raws == (std::vector<std::string>{"[ 1.50 , \"x\" , { } ]", "true", "\"q\\\"\\u00e9\""}),
             boost::test_tools::per_element());
  BOOST_TEST(root.find("s")->text() == "q\"\xc3\xa9");
  BOOST_TEST(root.find("a")->holds_numbers());
  BOOST_TEST(!root.find("nope"));
  BOOST_TEST(root.find("rerank")->boolean());
  BOOST_CHECK_THROW((void)root.text(), std::logic_error);
  BOOST_CHECK_THROW((void)root.boolean(), std::logic_error);
}

BOOST_AUTO_TEST_CASE(keys_with_escaped_quotes) {
  const auto tree = JsonTree::parse("{\"a\\\"\":1,\"\\\\\":2,\"\\\"\":3}");
  BOOST_REQUIRE(tree.has_value());
  std::vector<std::string> keys;
  for (const JsonValue member : tree->root().children()) {
    keys.emplace_back(member.key());
  }
  BOOST_TEST(keys == (std::vector<std::string>{"a\"", "\\", "\""}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(counts_are_what_a_server_takes) {
  const auto count = [](const std::string& text) { return JsonTree::parse(text)->root().as_count(); };
  BOOST_TEST(count("0").value() == 0u);
  BOOST_TEST(count("18446744073709551615").value() == 18446744073709551615u);
  for (const char* text :
       {"18446744073709551616", "3.0", "1e1", "-1", "-0", "\"3\"", "true", "null", "[3]"}) {
    BOOST_TEST(!count(text), text);
  }
  BOOST_TEST(JsonTree::parse("-5")->root().as_integer().value() == -5);
  BOOST_TEST(!JsonTree::parse("-0")->root().as_integer());
  BOOST_TEST(!JsonTree::parse("9223372036854775808")->root().as_integer());
  BOOST_TEST(JsonTree::parse("2.5e-1")->root().as_double().value() == 0.25);
  BOOST_TEST(JsonTree::parse("1e400")->root().as_double().value() == std::numeric_limits<double>::infinity());
  BOOST_TEST(JsonTree::parse("-1e400")->root().as_double().value() ==
             -std::numeric_limits<double>::infinity());
  BOOST_TEST(JsonTree::parse("1e-400")->root().as_double().value() == 0.0);
  BOOST_TEST(!JsonTree::parse("1e400")->root().as_count().has_value());
  BOOST_TEST(JsonTree::parse("[1e400,18446744073709551616]")->root().holds_numbers());
}

BOOST_AUTO_TEST_SUITE_END()
