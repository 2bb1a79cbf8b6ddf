#include "proxy/rewrite/text_fields.hpp"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

using namespace qrerank::proxy::rewrite;

namespace {

/// A path in one spelling of its own: keys in angle brackets.
std::string shape(const FieldPath& path) {
  std::string out;
  for (const PathStep& step : path.steps) {
    switch (step.kind) {
      case PathStep::Kind::key:
        out += "<" + step.key + ">";
        break;
      case PathStep::Kind::index:
        out += "[" + std::to_string(step.index) + "]";
        break;
      case PathStep::Kind::all:
        out += "[]";
    }
  }
  return out;
}

std::string unescaped(std::string_view raw) {
  std::string out;
  append_unescaped(out, raw);
  return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(text_fields_suite)

BOOST_AUTO_TEST_CASE(paths_that_parse) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"text", "<text>"},
      {"a.b.c", "<a><b><c>"},
      {"a[].b", "<a>[]<b>"},
      {"a[]", "<a>[]"},
      {"a[0]", "<a>[0]"},
      {"foo[1][50].bar-baz[].\"qux[.]quux\"", "<foo>[1][50]<bar-baz>[]<qux[.]quux>"},
      {"\"dotted.key\"", "<dotted.key>"},
      {"\"\"", "<>"},
      {"\"sp ace\".x", "<sp ace><x>"},
      {"_9-", "<_9->"},
      {"\xc3\xa9t\xc3\xa9", "<\xc3\xa9t\xc3\xa9>"},
      {"a[007]", "<a>[7]"},
  };
  for (const auto& [path, expected] : cases) {
    BOOST_TEST_CONTEXT(path) {
      const auto parsed = parse_path(path);
      BOOST_REQUIRE(parsed.has_value());
      BOOST_TEST(shape(*parsed) == expected);
      BOOST_TEST(parsed->spelled == path);
      BOOST_TEST(parsed->is_plain_key() == (parsed->steps.size() == 1));
    }
  }
}

BOOST_AUTO_TEST_CASE(paths_that_do_not_parse_tell_where) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "character 1 "},           {".", "character 1 "},      {"a.", "character 3 "},
      {"a..b", "character 3 "},       {"a b", "character 2 "},    {"[0]", "character 1 "},
      {"a[", "character 3 "},         {"a[x]", "character 3 "},   {"a[0", "character 4 "},
      {"a[0]b", "character 5 "},      {"a[-1]", "character 3 "},  {"\"open", "character 6 "},
      {"\"b\\\"s\"", "character 3 "}, {"\"a\"b", "character 4 "}, {"a[99999999999999999999]", "character 3 "},
      {"\xc3\xa9.", "character 3 "},  {"a]", "character 2 "},
  };
  for (const auto& [path, where] : cases) {
    BOOST_TEST_CONTEXT(path) {
      const auto parsed = parse_path(path);
      BOOST_REQUIRE(!parsed.has_value());
      BOOST_TEST(parsed.error().find(where) != std::string::npos, parsed.error());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_path_has_a_bounded_number_of_steps) {
  std::string path = "a";
  for (std::size_t i = 1; i < kMaxPathSteps; ++i) {
    path += "[]";
  }
  BOOST_TEST(parse_path(path).has_value());
  BOOST_TEST(!parse_path(path + "[]").has_value());
}

BOOST_AUTO_TEST_CASE(one_bad_path_refuses_the_list) {
  const std::vector<std::string> good = {"a", "b.c"};
  const std::vector<std::string> bad = {"a", "b."};
  const auto parsed = TextFields::parse(good, false);
  BOOST_REQUIRE(parsed.has_value());
  BOOST_TEST(parsed->paths.size() == 2U);
  BOOST_TEST(!parsed->first_non_empty);
  BOOST_TEST(!TextFields::parse(bad, true).has_value());
}

BOOST_AUTO_TEST_CASE(escapes) {
  const std::string bad = "\xef\xbf\xbd";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"plain", "plain"},
      {R"(\"\\\/\b\f\n\r\t)", "\"\\/\b\f\n\r\t"},
      {R"(\u0041\u00e9\u6f22)", "A\xc3\xa9\xe6\xbc\xa2"},
      {R"(\uD83D\uDE00!)", "\xf0\x9f\x98\x80!"},
      {R"(\ud83d)", bad},
      {R"(\ud83dx)", bad + "x"},
      {R"(\ude00\ud83d)", bad + bad},
      {R"(\ud83d\ud83d\ude00)", bad + "\xf0\x9f\x98\x80"},
      {R"(\ud83d\n)", bad + "\n"},
      {R"(\ud83d\u0041)", bad + "A"},
      {R"(\u12)", bad + "12"},
      {R"(\u-123)", bad + "-123"},
      {R"(\uzzzz)", bad + "zzzz"},
      {R"(\q)", bad + "q"},
      {"\\", bad},
      {"\\\xc3\xa9", bad + "\xc3\xa9"},
  };
  for (const auto& [raw, text] : cases) {
    BOOST_TEST_CONTEXT(raw) {
      BOOST_TEST(unescaped(raw) == text);
    }
  }
  BOOST_TEST(unescaped(R"(a\u0000b)") == std::string("a\0b", 3));
}

// Eight bytes are looked at together: an escape may stand anywhere among them.
BOOST_AUTO_TEST_CASE(escapes_at_every_place) {
  const std::vector<std::pair<std::string, std::string>> escapes = {
      {R"(\n)", "\n"}, {R"(\\)", "\\"}, {R"(\u00e9)", "\xc3\xa9"}, {R"(\ud83e\udd8a)", "\xf0\x9f\xa6\x8a"}};
  for (const auto& [raw, text] : escapes) {
    for (std::size_t before = 0; before < 20; ++before) {
      for (std::size_t behind = 0; behind < 20; ++behind) {
        const std::string head(before, 'a');
        const std::string tail(behind, '\xff');
        BOOST_TEST(unescaped(head + raw + tail) == head + text + tail);
        BOOST_TEST(unescaped(head + raw + raw + tail + raw) == head + text + text + tail + text);
      }
    }
  }
  // One bit away from a backslash, and what a borrow between bytes could mistake for one.
  const std::string near = "[]\\\\\x5d\x5d\xdc\x5d\x5c\x5c]]]";
  BOOST_TEST(unescaped(near) == "[]\\\x5d\x5d\xdc\x5d\\]]]");
}

BOOST_AUTO_TEST_CASE(unescaping_keeps_to_its_room) {
  for (const std::string& worst :
       {std::string(R"(\q\q\q\q\q\q\q\q\)"), std::string(R"(\u\u\u\u\u)"), std::string("\\")}) {
    std::string room(unescaped_room(worst.size()), '\0');
    const char* const end = unescape(room.data(), worst);
    BOOST_TEST(end <= room.data() + room.size());
  }
}

BOOST_AUTO_TEST_SUITE_END()
