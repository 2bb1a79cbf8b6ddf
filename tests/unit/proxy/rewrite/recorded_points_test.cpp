// Bytes that a real Qdrant 1.19 answered, for one collection of three points: what a slice of the whole
// payload gives must be what the server itself gives for the same selector.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "one_result.hpp"
#include "proxy/rewrite/response.hpp"

using namespace qrerank::proxy::rewrite;
using Payload = Projection::Payload;

namespace {

// POST …/points/query {"query":[1,0],"limit":3,"with_payload":true}
constexpr const char* kWhole =
    R"({"result":{"points":[{"id":1,"version":1,"score":1.0,"payload":{"text":"a fox","num":1.0,"big":18446744073709551615,"neg":-0.0,"exp":100.0,"nul":null,"b":true,"e":{},"l":[],"chunks":[{"text":"one","n":1,"m":{"x":1}},{"text":"two","n":2},{"other":3}],"meta":{"title":"t","a":{"b":{"c":1,"d":2}},"list":[1,2,3]},"dotted.key":"dk","sp ace":"s","uni":"é漢"}},{"id":2,"version":1,"score":0.70710677,"payload":{"chunks":{"text":"object, not list"},"meta":[{"a":1},{"a":2}],"text":["x","y"]}},{"id":3,"version":1,"score":0.0,"payload":{}}]},"status":"ok","time":0.000692245})";

Answer whole() {
  return extract_one(kWhole, HitLayout::points,
                     TextFields::parse(std::vector<std::string>{"text"}, true).value(), 50)
      .value();
}

Projection projection(Payload payload, std::vector<std::string> members = {}) {
  Projection made;
  made.payload = payload;
  std::sort(members.begin(), members.end());
  made.members = std::move(members);
  return made;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(recorded_points_suite)

BOOST_AUTO_TEST_CASE(texts) {
  const Answer answer = whole();
  const CandidateSet& set = answer.sets.at(0);
  BOOST_TEST(set.candidates.at(0).text == "a fox");
  BOOST_TEST(set.candidates.at(1).text == "x\ny");
  BOOST_TEST(set.candidates.at(2).text == "");
}

BOOST_AUTO_TEST_CASE(projections_equal_the_servers_own) {
  // Payloads of the retrieve answers with the same selectors.
  const std::vector<std::pair<Projection, std::vector<std::string>>> cases = {
      {projection(Payload::keep), {"{}", "{}", "{}"}},
      {projection(Payload::keep, {"text"}), {R"({"text":"a fox"})", R"({"text":["x","y"]})", "{}"}},
      {projection(Payload::keep, {"meta", "text"}),
       {R"({"text":"a fox","meta":{"title":"t","a":{"b":{"c":1,"d":2}},"list":[1,2,3]}})",
        R"({"meta":[{"a":1},{"a":2}],"text":["x","y"]})", "{}"}},
      {projection(Payload::keep, {"dotted.key"}), {R"({"dotted.key":"dk"})", "{}", "{}"}},
      {projection(Payload::keep, {"nul"}), {R"({"nul":null})", "{}", "{}"}},
      {projection(Payload::keep, {"e"}), {R"({"e":{}})", "{}", "{}"}},
      {projection(Payload::drop, {"text"}),
       {R"({"num":1.0,"big":18446744073709551615,"neg":-0.0,"exp":100.0,"nul":null,"b":true,"e":{},"l":[],"chunks":[{"text":"one","n":1,"m":{"x":1}},{"text":"two","n":2},{"other":3}],"meta":{"title":"t","a":{"b":{"c":1,"d":2}},"list":[1,2,3]},"dotted.key":"dk","sp ace":"s","uni":"é漢"})",
        R"({"chunks":{"text":"object, not list"},"meta":[{"a":1},{"a":2}]})", "{}"}},
      {projection(Payload::drop, {"meta"}),
       {R"({"text":"a fox","num":1.0,"big":18446744073709551615,"neg":-0.0,"exp":100.0,"nul":null,"b":true,"e":{},"l":[],"chunks":[{"text":"one","n":1,"m":{"x":1}},{"text":"two","n":2},{"other":3}],"dotted.key":"dk","sp ace":"s","uni":"é漢"})",
        R"({"chunks":{"text":"object, not list"},"text":["x","y"]})", "{}"}},
  };
  const Answer answer = whole();
  const CandidateSet& set = answer.sets.at(0);
  const std::vector<std::string> heads = {R"({"id":1,"version":1,"score":1.0)",
                                          R"({"id":2,"version":1,"score":0.70710677)",
                                          R"({"id":3,"version":1,"score":0.0)"};
  for (const auto& [by, payloads] : cases) {
    PointWriter writer(set, by, nullptr, ScoreMode::own);
    for (std::size_t hit = 0; hit < heads.size(); ++hit) {
      std::string out;
      BOOST_TEST(writer.append(out, {.hit = hit, .score = {}, .rerank_score = {}}));
      BOOST_TEST(out == heads[hit] + R"(,"payload":)" + payloads[hit] + "}");
    }
  }
}

BOOST_AUTO_TEST_CASE(a_second_read_equals_a_query_with_the_selector) {
  // POST …/points {"ids":[1,2,3],"with_payload":["meta.a.b.c"]}, and the query with that selector.
  const Reread reread =
      parse_reread(
          R"({"result":[{"id":1,"payload":{"meta":{"a":{"b":{"c":1}}}}},{"id":2,"payload":{"meta":[]}},{"id":3,"payload":{}}],"status":"ok","time":0.000127008})")
          .value();
  const std::string queried =
      R"({"result":{"points":[{"id":1,"version":1,"score":1.0,"payload":{"meta":{"a":{"b":{"c":1}}}}},{"id":2,"version":1,"score":0.70710677,"payload":{"meta":[]}},{"id":3,"version":1,"score":0.0,"payload":{}}]},"status":"ok","time":0.000692245)";
  BOOST_TEST(own_one(whole(), vector_page(3, 0, 10), projection(Payload::reread), &reread, Report{}) ==
             queried + R"(,"reranking_used":false})");
}

BOOST_AUTO_TEST_CASE(vectors_of_the_second_read) {
  Projection by = projection(Payload::none);
  by.vectors = true;
  const Reread reread =
      parse_reread(R"({"result":[{"id":1,"vector":[1.0,0.0]}],"status":"ok","time":0.000187989})").value();
  std::string out;
  const Answer answer = whole();
  const CandidateSet& set = answer.sets.at(0);
  BOOST_TEST(
      PointWriter(set, by, &reread, ScoreMode::own).append(out, {.hit = 0, .score = {}, .rerank_score = {}}));
  BOOST_TEST(out == R"({"id":1,"version":1,"score":1.0,"vector":[1.0,0.0]})");
}

BOOST_AUTO_TEST_SUITE_END()
