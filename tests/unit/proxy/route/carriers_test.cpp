// The carriers one by one: grammar, repetition, unknown names, and what is taken off a head.
#include "proxy/route/carriers.hpp"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

using namespace qrerank::proxy::route;
using qrerank::proxy::http::FieldView;
namespace config = qrerank::proxy::config;
namespace reranker = qrerank::reranker;
namespace rewrite = qrerank::proxy::rewrite;

namespace {

Checks checks() {
  return {reranker::OptionLimits{}, {"mock", "minilm"}};
}

PlaceOptions headers(const std::vector<FieldView>& fields) {
  return read_headers(fields, checks());
}

PlaceOptions parameters(std::string_view query) {
  return read_parameters(query, checks());
}

PlaceOptions object(const std::string& text) {
  const auto tree = rewrite::JsonTree::parse(text);
  BOOST_REQUIRE_MESSAGE(tree.has_value(), text);
  return read_object(tree->root(), checks());
}

bool has(const std::string& text, std::string_view piece) {
  return text.find(piece) != std::string::npos;
}

void check_everything_said(const PlaceOptions& place) {
  BOOST_TEST(place.flag_error == "");
  BOOST_TEST(place.option_error == "");
  BOOST_TEST(place.flag.value() == true);
  BOOST_TEST(place.options.query.value() == "a f\xc3\xb6x");
  BOOST_TEST(place.options.model.value() == "minilm");
  BOOST_TEST(place.options.top_k.value() == 20);
  BOOST_TEST(place.options.instruction.value() == "find");
  BOOST_TEST(place.options.fields.value() == (std::vector<std::string>{"a.b", "\"c,d\""}),
             boost::test_tools::per_element());
  BOOST_TEST(place.options.score_threshold.value() == 0.25);
  BOOST_TEST(place.options.weight.value() == 0.5);
  BOOST_TEST((place.options.on_error.value() == reranker::OnError::error));
  BOOST_TEST(place.options.timeout_ms.value() == 900);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(carriers)

BOOST_AUTO_TEST_CASE(every_option_in_every_carrier) {
  check_everything_said(headers({{"x-rerank", "TRUE"},
                                 {"X-Rerank-Query", "a%20f%C3%B6x"},
                                 {"X-RERANK-MODEL", "minilm"},
                                 {"X-Rerank-Top-K", "20"},
                                 {"X-Rerank-Instruction", "find"},
                                 {"X-Rerank-Field", "a.b, \"c,d\""},
                                 {"X-Rerank-Score-Threshold", "0.25"},
                                 {"X-Rerank-Weight", "5e-1"},
                                 {"X-Rerank-On-Error", "error"},
                                 {"X-Rerank-Timeout-Ms", "900"},
                                 {"X-Reranking-Used", "nonsense"},
                                 {"api-key", "k"}}));
  check_everything_said(
      parameters("timeout=3&use_reranker=1&rerank_query=a+f%C3%B6x&rerank_model=minilm&rerank_top_k=20&"
                 "rerank_instruction=find&"
                 "rerank_field=a.b&rerank_field=%22c%2Cd%22&rerank_score_threshold=0.25&rerank_weight=0.5&"
                 "rerank_on_error=error&"
                 "rerank_timeout_ms=900"));
  check_everything_said(
      object(R"({"limit":3,"use_reranker":true,"rerank_query":"a f\u00f6x","rerank_model":"minilm",
      "rerank_top_k":20,"rerank_instruction":"find","rerank_field":["a.b","\"c,d\""],"rerank_score_threshold":0.25,
      "rerank_weight":5e-1,"rerank_on_error":"error","rerank_timeout_ms":900})"));
}

BOOST_AUTO_TEST_CASE(plus_is_a_space_in_parameters_only) {
  BOOST_TEST(parameters("rerank_query=a+b%2Bc").options.query.value() == "a b+c");
  BOOST_TEST(headers({{"X-Rerank-Query", "a+b%2Bc"}}).options.query.value() == "a+b+c");
  BOOST_TEST(headers({{"X-Rerank-Query", "50% off"}}).options.query.value() == "50% off");
}

BOOST_AUTO_TEST_CASE(flags) {
  for (const char* value : {"true", "TRUE", "True", "1"}) {
    BOOST_TEST(parameters(std::string("rerank=") + value).flag.value() == true);
    BOOST_TEST(headers({{"X-Rerank", value}}).flag.value() == true);
  }
  for (const char* value : {"false", "False", "0"}) {
    BOOST_TEST(parameters(std::string("use_reranker=") + value).flag.value() == false);
    BOOST_TEST(headers({{"X-Rerank", value}}).flag.value() == false);
  }
  for (const char* value : {"", "yes", "on", "2", "maybe", "true,true"}) {
    BOOST_TEST(has(parameters(std::string("rerank=") + value).flag_error, "use_reranker"), value);
    BOOST_TEST(has(headers({{"X-Rerank", value}}).flag_error, "use_reranker"), value);
  }
  BOOST_TEST(!parameters("rerank").flag_error.empty());
  for (const char* value : {"1", "0", "\"true\"", "[true]", "{}"}) {
    BOOST_TEST(has(object(std::string("{\"rerank\":") + value + "}").flag_error, "use_reranker"), value);
  }
  BOOST_TEST(!object(R"({"rerank":null})").flag.has_value());
  BOOST_TEST(object(R"({"rerank":null})").flag_error == "");
  BOOST_TEST(object(R"({"\u0072erank":true})").flag.value());
}

BOOST_AUTO_TEST_CASE(said_twice) {
  BOOST_TEST(!object(R"({"rerank":true,"rerank":true})").flag_error.empty());
  BOOST_TEST(!object(R"({"rerank":null,"\u0072erank":true})").flag_error.empty());
  BOOST_TEST(!object(R"({"rerank":true,"use_reranker":false})").flag_error.empty());
  BOOST_TEST(object(R"({"rerank":true,"use_reranker":true})").flag.value());
  BOOST_TEST(object(R"({"rerank":true,"use_reranker":null})").flag.value());
  BOOST_TEST(object(R"({"rerank":true,"use_reranker":true})").flag_error == "");
  BOOST_TEST(!headers({{"X-Rerank", "1"}, {"x-rerank", "1"}}).flag_error.empty());
  BOOST_TEST(!parameters("rerank=1&rerank=1").flag_error.empty());
  BOOST_TEST(!parameters("rerank=1&use_reranker=0").flag_error.empty());
  BOOST_TEST(parameters("rerank=1&use_reranker=true").flag.value());

  BOOST_TEST(has(object(R"({"rerank_top_k":20,"rerank_top_k":20})").option_error, "rerank_top_k"));
  BOOST_TEST(!object(R"({"rerank_top_k":null,"rerank_top_k":20})").option_error.empty());
  BOOST_TEST(!object(R"({"rerank_field":"a","rerank_field":"b"})").option_error.empty());
  BOOST_TEST(!parameters("rerank_top_k=20&rerank_top_k=20").option_error.empty());
  BOOST_TEST(!headers({{"X-Rerank-Query", "a"}, {"X-Rerank-Query", "b"}}).option_error.empty());
  BOOST_TEST(headers({{"X-Rerank-Field", "a"}, {"X-Rerank-Field", "b,c"}}).options.fields.value() ==
                 (std::vector<std::string>{"a", "b", "c"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(unknown_names) {
  BOOST_TEST(object(R"({"rerank_topk":5})").option_error ==
             "rerank_topk: unknown option, did you mean rerank_top_k?");
  BOOST_TEST(has(object(R"({"rerank_zzzzzzzzzzz":null})").option_error, "unknown option"));
  BOOST_TEST(parameters("rerank_topk=5").option_error ==
             "rerank_topk: unknown option, did you mean rerank_top_k?");
  BOOST_TEST(headers({{"X-Rerank-Topk", "5"}}).option_error ==
             "X-Rerank-Topk: unknown option, did you mean X-Rerank-Top-K?");
  BOOST_TEST(has(headers({{"x-rerank-use-reranker", "1"}}).option_error, "unknown option"));
  for (const char* text : {R"({"reranker":1})", R"({"Rerank_top_k":1})", R"({"x":{"rerank_topk":1}})",
                           R"({"rerank-top-k":1})"}) {
    BOOST_TEST((object(text) == PlaceOptions{}), text);
  }
  BOOST_TEST((parameters("reranker=1&xrerank_topk=2&RERANK=1&&=&") == PlaceOptions{}));
  BOOST_TEST((headers({{"X-Reranker", "1"}, {"Rerank", "1"}}) == PlaceOptions{}));
  // A name is shown shortened and as valid UTF-8.
  const std::string strange = parameters("rerank_%FF" + std::string(500, 'x') + "=1").option_error;
  BOOST_TEST(strange.size() < 200);
  BOOST_TEST(strange.find('\xff') == std::string::npos);
}

BOOST_AUTO_TEST_CASE(types_and_bounds) {
  struct Case {
    std::string member;
    std::string named;
  };
  const std::vector<Case> cases = {
      {R"("rerank_top_k":9)", "rerank_top_k: 9"},
      {R"("rerank_top_k":201)", "201"},
      {R"("rerank_top_k":20.0)", "rerank_top_k"},
      {R"("rerank_top_k":"20")", "rerank_top_k"},
      {R"("rerank_top_k":99999999999999999999)", "rerank_top_k"},
      {R"("rerank_weight":1.5)", "1.5"},
      {R"("rerank_weight":-0.1)", "rerank_weight"},
      {R"("rerank_weight":true)", "rerank_weight"},
      {R"("rerank_weight":1e999)", "rerank_weight"},
      {R"("rerank_query":"")", "rerank_query"},
      {R"("rerank_query":5)", "rerank_query"},
      {R"("rerank_query":{"a":1})", "rerank_query"},
      {R"("rerank_on_error":"ignore")", "rerank_on_error"},
      {R"("rerank_timeout_ms":0)", "rerank_timeout_ms"},
      {R"("rerank_timeout_ms":60001)", "60001"},
      {R"("rerank_field":[])", "rerank_field"},
      {R"("rerank_field":["a",1])", "rerank_field"},
      {R"("rerank_field":["a",null])", "rerank_field"},
      {R"("rerank_field":"sp ace")", "rerank_field: `sp ace` is not a payload path"},
      {R"("rerank_field":["a","b."])", "rerank_field: `b.`"},
      {R"("rerank_score_threshold":"x")", "rerank_score_threshold"},
      {R"("rerank_model":"minilmm")", "`minilmm` is not a configured model, did you mean minilm?"},
      {R"("rerank_model":"zzzzzz")", "expected one of mock, minilm"},
  };
  for (const Case& one : cases) {
    const PlaceOptions place = object("{\"rerank\":true," + one.member + "}");
    BOOST_TEST(place.flag.value());
    BOOST_TEST(has(place.option_error, one.named), one.member << ": " << place.option_error);
  }
  BOOST_TEST(has(object(R"({"rerank_top_k":500})").option_error, "10 to 200"));
  std::string text = "{\"rerank_query\":\"" + std::string(8193, 'x') + "\"}";
  BOOST_TEST(has(object(text).option_error, "rerank_query"));
  text = "{\"rerank_query\":\"" + std::string(8192, 'x') + "\"}";
  BOOST_TEST(object(text).option_error == "");
  BOOST_TEST(has(headers({{"X-Rerank-Query", "%FF"}}).option_error, "rerank_query"));
  BOOST_TEST(has(parameters("rerank_weight=nan").option_error, "rerank_weight"));
}

BOOST_AUTO_TEST_CASE(headers_of_ours) {
  for (const char* name : {"X-Rerank", "x-rerank", "X-RERANK-TOP-K", "x-rerank-anything"}) {
    BOOST_TEST(is_option_header(name), name);
  }
  for (const char* name : {"X-Reranking-Used", "X-Reranker", "Rerank", "X-Reran", "api-key", ""}) {
    BOOST_TEST(!is_option_header(name), name);
  }
}

BOOST_AUTO_TEST_CASE(stripped_targets) {
  const std::vector<std::pair<std::string, std::string>> targets = {
      {"/a", "/a"},
      {"/a?", "/a?"},
      {"/a?timeout=3&&x=%41", "/a?timeout=3&&x=%41"},
      {"/a?rerank=1", "/a"},
      {"/a?use_reranker=1&timeout=3", "/a?timeout=3"},
      {"/a?timeout=3&rerank_top_k=5&x=+", "/a?timeout=3&x=+"},
      {"/a?timeout=3&%72erank=1", "/a?timeout=3"},
      {"/a?rerank_unknown&reranker=2", "/a?reranker=2"},
      {"http://h/a?rerank=1&b", "http://h/a?b"},
  };
  for (const auto& [target, expected] : targets) {
    BOOST_TEST(strip_target(target) == expected, target);
  }
}

BOOST_AUTO_TEST_CASE(known_models) {
  config::Config config;
  config.models.emplace_back().name = "minilm";
  BOOST_TEST(Checks::of(config).models == (std::vector<std::string>{"mock", "minilm"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
