// Splicing, by table and against a slow reference: splice-then-parse equals edit-the-DOM-then-parse.
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "proxy/rewrite/json_splice.hpp"

using namespace qrerank::proxy::rewrite;

namespace {

using Json = nlohmann::ordered_json;

// Applies edits written as "-key", "=key value" and "+key value" to the text's root.
std::string spliced(const std::string& text, const std::vector<std::string>& edits) {
  const auto tree = JsonTree::parse(text);
  JsonSplice splice;
  for (const std::string& edit : edits) {
    const std::string key = edit.substr(1, edit.find(' ') - 1);
    const std::string value = edit.find(' ') == std::string::npos ? "" : edit.substr(edit.find(' ') + 1);
    if (edit[0] == '+') {
      splice.insert(tree->root(), key, value);
    } else if (edit[0] == '=') {
      splice.replace(*tree->root().find(key), value);
    } else {
      splice.remove(*tree->root().find(key));
    }
  }
  return splice.apply(tree->root());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(splice)

BOOST_AUTO_TEST_CASE(table) {
  struct Case {
    std::string text;
    std::vector<std::string> edits;
    std::string expected;
  };
  const std::vector<Case> cases = {
      {"{}", {}, "{}"},
      {" { } ", {"+a 1"}, " {\"a\":1 } "},
      {"{}", {"+a 1", "+b 2"}, "{\"a\":1,\"b\":2}"},
      {"{ \"x\" : 1 }", {"+a 1"}, "{ \"x\" : 1,\"a\":1 }"},
      {"{\"x\":1}", {"-x"}, "{}"},
      {"{ \"x\" : 1 }", {"-x"}, "{  }"},
      {"{\"x\":1,\"y\":2}", {"-x"}, "{\"y\":2}"},
      {"{\"x\":1 , \"y\":2}", {"-x"}, "{\"y\":2}"},
      {"{\"x\":1 , \"y\":2}", {"-y"}, "{\"x\":1}"},
      {"{\"x\":1,\"y\":2,\"z\":3}", {"-y"}, "{\"x\":1,\"z\":3}"},
      {"{\"x\":1,\"y\":2,\"z\":3}", {"-x", "-y"}, "{\"z\":3}"},
      {"{\"x\":1,\"y\":2,\"z\":3}", {"-z", "-y"}, "{\"x\":1}"},
      {"{\"x\":1,\"y\":2,\"z\":3}", {"-x", "-z"}, "{\"y\":2}"},
      {"{\"x\":1,\"y\":2}", {"-x", "-y"}, "{}"},
      {"{\"x\":1,\"y\":2}", {"-x", "-y", "+a 1"}, "{\"a\":1}"},
      {"{\"x\":1,\"y\":2}", {"-y", "+a 1"}, "{\"x\":1,\"a\":1}"},
      {"{\"x\":1,\"y\":2}", {"=x [7]", "-y"}, "{\"x\":[7]}"},
      {"{\"x\":1,\"y\":2}", {"=y 9", "+a 1"}, "{\"x\":1,\"y\":9,\"a\":1}"},
  };
  for (const Case& one : cases) {
    BOOST_TEST(spliced(one.text, one.edits) == one.expected, one.text);
  }
}

BOOST_AUTO_TEST_CASE(of_a_part) {
  const auto tree = JsonTree::parse("[ {\"a\":1, \"b\":2} , {\"a\":3} ]");
  std::vector<JsonValue> parts(tree->root().children().begin(), tree->root().children().end());
  JsonSplice splice;
  splice.remove(*parts[0].find("a"));
  splice.insert(parts[1], "c", "4");
  BOOST_TEST(splice.apply(parts[0]) == "{\"b\":2}");
  BOOST_TEST(splice.apply(parts[1]) == "{\"a\":3,\"c\":4}");
  BOOST_TEST(splice.apply(tree->root()) == "[ {\"b\":2} , {\"a\":3,\"c\":4} ]");
}

BOOST_AUTO_TEST_CASE(our_bugs_throw) {
  const auto tree = JsonTree::parse("{\"a\":{\"b\":1},\"l\":[{}]}");
  const JsonValue a = *tree->root().find("a");
  JsonSplice twice;
  twice.replace(a, "1");
  twice.replace(*a.find("b"), "2");
  BOOST_CHECK_THROW((void)twice.apply(tree->root()), std::logic_error);
  JsonSplice wrong;
  BOOST_CHECK_THROW(wrong.remove(tree->root()), std::logic_error);
  BOOST_CHECK_THROW(wrong.remove(*tree->root().find("l")->children().begin()), std::logic_error);
  BOOST_CHECK_THROW(wrong.insert(*a.find("b"), "k", "1"), std::logic_error);
}

BOOST_AUTO_TEST_CASE(quoting) {
  for (const std::string text : {"", "a", "q\"\\/", "\n\t\x01\x1f", "\xc3\xa9\xf0\x9f\x98\x80"}) {
    BOOST_TEST(Json::parse(json_quoted(text)).get<std::string>() == text);
  }
}

namespace {

// Random texts with odd spellings: white space, escapes in keys, number spellings, duplicates.
class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return random_() % n; }

  std::string space() {
    static const std::vector<std::string> kSpaces = {"", "", "", " ", "\n\t", "  ", "\r\n"};
    return kSpaces[below(kSpaces.size())];
  }

  std::string key(const std::string& name) {
    std::string text = "\"";
    for (const char c : name) {
      static constexpr char kHex[] = "0123456789abcdef";
      if (below(6) == 0) {
        text += std::string("\\u00") + kHex[c >> 4] + kHex[c & 15];
      } else {
        text += c;
      }
    }
    return text + "\"";
  }

  std::string scalar() {
    static const std::vector<std::string> kScalars = {"null",
                                                      "true",
                                                      "false",
                                                      "0",
                                                      "-0",
                                                      "1.0",
                                                      "1e2",
                                                      "18446744073709551615",
                                                      "9007199254740993",
                                                      "-3.25E-2",
                                                      "\"\"",
                                                      "\"a,b}]\"",
                                                      "\"\\\"{[\"",
                                                      "\"\\u00e9\\ud83d\\ude00\"",
                                                      "\"rerank\"",
                                                      "\"\xe6\xbc\xa2\""};
    return kScalars[below(kScalars.size())];
  }

  std::string value(int depth) {
    const std::size_t shape = depth > 4 ? 0 : below(4);
    if (shape < 2) {
      return scalar();
    }
    std::string text = shape == 2 ? "[" : "{";
    const std::size_t count = below(4);
    for (std::size_t i = 0; i < count; ++i) {
      text += (i == 0 ? "" : ",") + space();
      if (shape == 3) {
        text += key(std::string(1, static_cast<char>('p' + below(3)))) + space() + ":" + space();
      }
      text += value(depth + 1) + space();
    }
    return text + (shape == 2 ? "]" : "}");
  }

 private:
  std::mt19937 random_;
};

struct Item {
  std::string key;
  std::string raw;
};

}  // namespace

BOOST_AUTO_TEST_CASE(equals_the_slow_reference) {
  Generator random(20261124);
  for (int round = 0; round < 3000; ++round) {
    // A list of members, doubles included, is the reference; nlohmann only says what a value means.
    std::vector<Item> items;
    std::string text = random.space() + "{";
    const std::size_t count = random.below(7);
    for (std::size_t i = 0; i < count; ++i) {
      Item item{std::string(1, static_cast<char>('a' + random.below(5))), random.value(0)};
      text += (i == 0 ? "" : ",") + random.space() + random.key(item.key) + random.space() + ":" +
              random.space() + item.raw + random.space();
      items.push_back(std::move(item));
    }
    text += "}" + random.space();

    const auto tree = JsonTree::parse(text);
    BOOST_REQUIRE_MESSAGE(tree.has_value(), text << ": " << tree.error());
    JsonSplice splice;
    std::vector<Item> expected;
    std::size_t at = 0;
    for (const JsonValue member : tree->root().children()) {
      BOOST_REQUIRE(at < items.size());
      BOOST_TEST(member.key() == items[at].key);
      BOOST_TEST(member.raw() == items[at].raw);
      switch (random.below(3)) {
        case 0:
          splice.remove(member);
          break;
        case 1:
          splice.replace(member, "{\"new\":1}");
          expected.push_back({items[at].key, "{\"new\":1}"});
          break;
        default:
          expected.push_back(items[at]);
      }
      ++at;
    }
    BOOST_TEST(at == items.size());
    for (std::size_t i = random.below(3); i > 0; --i) {
      splice.insert(tree->root(), "k" + std::to_string(i), "[2]");
      expected.push_back({"k" + std::to_string(i), "[2]"});
    }

    const std::string result = splice.apply(tree->root());
    BOOST_REQUIRE_MESSAGE(Json::accept(result), text << " became " << result);
    const auto again = JsonTree::parse(result);
    BOOST_REQUIRE(again.has_value());
    at = 0;
    for (const JsonValue member : again->root().children()) {
      BOOST_REQUIRE(at < expected.size());
      BOOST_TEST(member.key() == expected[at].key);
      BOOST_TEST(member.raw() == expected[at].raw);
      ++at;
    }
    BOOST_TEST(at == expected.size(), text << " became " << result);

    std::string listed = "{";
    for (const Item& item : expected) {
      listed += (listed.size() > 1 ? "," : "") + json_quoted(item.key) + ":" + item.raw;
    }
    BOOST_TEST((Json::parse(result) == Json::parse(listed + "}")), text << " became " << result);
  }
}

BOOST_AUTO_TEST_SUITE_END()
