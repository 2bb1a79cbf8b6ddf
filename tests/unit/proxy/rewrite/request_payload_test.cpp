// Every form of `with_payload` and `with_vector`: what is asked for candidates, and how the client's own
// payload is had from it.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "proxy/rewrite/request_payload.hpp"

using namespace qrerank::proxy::rewrite;

namespace {

using Payload = Projection::Payload;

const std::vector<std::string> kDefaults = {"content", "text", "document", "page_content"};
const std::string kDefaultList = R"(["content","text","document","page_content"])";

struct Outcome {
  std::string selector;  // "" for the client's own
  Payload projection;
  std::vector<std::string> members;
  bool operator==(const Outcome&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  out << outcome.selector << " projection " << static_cast<int>(outcome.projection);
  for (const std::string& member : outcome.members) {
    out << " [" << member << "]";
  }
  return out;
}

tl::expected<WidenedPayload, std::string> widen(const std::string& client,
                                                const std::vector<std::string>& fields) {
  const auto parsed = TextFields::parse(fields, true);
  BOOST_REQUIRE(parsed.has_value());
  if (client.empty()) {
    return widen_payload(std::nullopt, *parsed);
  }
  const auto tree = JsonTree::parse(client);
  BOOST_REQUIRE_MESSAGE(tree.has_value(), client);
  return widen_payload(tree->root(), *parsed);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(payload)

BOOST_AUTO_TEST_CASE(forms) {
  struct Case {
    std::string client;
    std::vector<std::string> fields;
    Outcome expected;
  };
  const std::vector<std::string> text = {"text"};
  const std::vector<Case> cases = {
      {"", kDefaults, {kDefaultList, Payload::none, {}}},
      {"null", kDefaults, {kDefaultList, Payload::none, {}}},
      {"false", text, {R"(["text"])", Payload::none, {}}},
      {"true", kDefaults, {"", Payload::whole, {}}},
      // Lists.
      {"[]", text, {R"(["text"])", Payload::keep, {}}},
      {R"(["text"])", text, {"", Payload::whole, {}}},
      {R"(["a", "text"])", text, {"", Payload::whole, {}}},
      {R"(["a"])", text, {R"(["a","text"])", Payload::keep, {"a"}}},
      {R"(["a","b","a"])", text, {R"(["a","b","a","text"])", Payload::keep, {"a", "b"}}},
      {R"(["b.x","c","a","b.y"])", text, {R"(["b.x","c","a","b.y","text"])", Payload::keep, {"a", "b", "c"}}},
      {R"(["\u0061"])", text, {R"(["\u0061","text"])", Payload::keep, {"a"}}},
      {R"(["text"])",
       kDefaults,
       {R"(["text","content","document","page_content"])", Payload::keep, {"text"}}},
      {R"({"include":["a"]})", text, {R"(["a","text"])", Payload::keep, {"a"}}},
      {R"({"include":[]})", text, {R"(["text"])", Payload::keep, {}}},
      // Nested paths are plain slices as long as no added one begins in the same member.
      {R"(["meta.title"])", text, {R"(["meta.title","text"])", Payload::keep, {"meta"}}},
      {R"(["\"dotted.key\""])", text, {R"(["\"dotted.key\"","text"])", Payload::keep, {"dotted.key"}}},
      {R"(["meta"])", {"meta.body"}, {"", Payload::whole, {}}},
      {R"(["chunks"])", {"chunks[].text"}, {"", Payload::whole, {}}},
      {R"(["chunks[].text"])", {"chunks[].text"}, {"", Payload::whole, {}}},
      {R"(["meta.title"])", {"meta.body"}, {R"(["meta.body"])", Payload::reread, {}}},
      {R"(["text.sub"])", text, {R"(["text"])", Payload::reread, {}}},
      {R"(["chunks[].n"])", {"chunks[].text"}, {R"(["chunks[].text"])", Payload::reread, {}}},
      // A pattern with an index finds nothing, so the whole list is asked for.
      {"false", {"chunks[0].text"}, {R"(["chunks"])", Payload::none, {}}},
      {"false", {"a.b[].c[1].d"}, {R"(["a.b[].c"])", Payload::none, {}}},
      {R"(["chunks[0].text"])", {"chunks[0].text"}, {R"(["chunks"])", Payload::reread, {}}},
      {"false", {"chunks[0].text", "chunks[1]"}, {R"(["chunks"])", Payload::none, {}}},
      {"false", {R"("sp ace"."q".r)"}, {R"(["\"sp ace\".q.r"])", Payload::none, {}}},
      // Exclude.
      {R"({"exclude":[]})", text, {"", Payload::whole, {}}},
      {R"({"exclude":["a"]})", text, {"", Payload::whole, {}}},
      {R"({"exclude":["text"]})", text, {"true", Payload::drop, {"text"}}},
      {R"({"exclude":["a","text","b.c"]})", text, {R"({"exclude":["a","b.c"]})", Payload::drop, {"text"}}},
      {R"({"exclude":["content","text"]})", kDefaults, {"true", Payload::drop, {"content", "text"}}},
      {R"({"exclude":["meta"]})", {"meta.body"}, {"true", Payload::drop, {"meta"}}},
      {R"({"exclude":["meta.secret"]})", {"meta.body"}, {"", Payload::whole, {}}},
      {R"({"exclude":["meta.body"]})", {"meta.body"}, {R"(["meta.body"])", Payload::reread, {}}},
      {R"({"exclude":["meta.body.x"]})", {"meta.body"}, {R"(["meta.body"])", Payload::reread, {}}},
      {R"({"exclude":["text","meta.body"]})",
       {"text", "meta.body"},
       {R"(["text","meta.body"])", Payload::reread, {}}},
      {R"({"exclude":["chunks[1]"]})", {"chunks[].text"}, {R"(["chunks[].text"])", Payload::reread, {}}},
  };
  for (const Case& one : cases) {
    const auto widened = widen(one.client, one.fields);
    BOOST_REQUIRE_MESSAGE(widened.has_value(), one.client);
    const Outcome outcome{widened->selector.value_or(""), widened->projection, widened->members};
    BOOST_TEST(outcome == one.expected, one.client << ": " << outcome << " expected " << one.expected);
  }
}

BOOST_AUTO_TEST_CASE(refused_selectors) {
  for (const char* client :
       {"3", "\"text\"", "{}", R"({"include":["a"],"exclude":["b"]})", R"({"include":["a"],"include":["a"]})",
        R"({"includes":["a"]})", R"({"include":true})", R"({"include":["a"],"rerank":1})", R"([1])",
        R"([["a"]])", R"([true])", R"(["a",null])", R"(["sp ace"])", R"([""])", R"(["a."])",
        R"({"exclude":[3]})"}) {
    BOOST_TEST(!widen(client, kDefaults).has_value(), client);
  }
}

BOOST_AUTO_TEST_CASE(vectors) {
  const auto wants = [](const std::string& client) {
    const auto tree = JsonTree::parse(client);
    return wants_vectors(tree->root());
  };
  BOOST_TEST(wants_vectors(std::nullopt).value() == false);
  for (const auto& [client, expected] : std::vector<std::pair<std::string, int>>{{"null", 0},
                                                                                 {"false", 0},
                                                                                 {"true", 1},
                                                                                 {"[]", 1},
                                                                                 {"[\"a\"]", 1},
                                                                                 {"\"a\"", -1},
                                                                                 {"1", -1},
                                                                                 {"[1]", -1},
                                                                                 {"[\"a\",null]", -1},
                                                                                 {"{}", -1}}) {
    const auto result = wants(client);
    BOOST_TEST((result ? static_cast<int>(*result) : -1) == expected, client);
  }
}

BOOST_AUTO_TEST_SUITE_END()
