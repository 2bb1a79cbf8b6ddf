#include "proxy/rewrite/projection.hpp"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "one_result.hpp"

using namespace qrerank::proxy::rewrite;
using Payload = Projection::Payload;

namespace {

constexpr const char* kPoint =
    R"({"id":9,"version":3,"score":0.25,"payload":{"text":"a","num":1.0,"big":18446744073709551615,"neg":-0.0,"e":1E+2,"d\u006ft":{"x":[1, 2]},"z":null},"shard_key":"s","order_value":1})";

Answer answer_of(const std::string& point) {
  const TextFields fields = TextFields::parse(std::vector<std::string>{"text"}, true).value();
  return extract_one(R"({"result":[)" + point + "]}", HitLayout::list, fields, 50).value();
}

Projection projection(Payload payload, std::vector<std::string> members = {}) {
  Projection made;
  made.payload = payload;
  std::sort(members.begin(), members.end());
  made.members = std::move(members);
  return made;
}

std::string printed(const std::string& point, const Projection& by, ScoreMode mode = ScoreMode::own,
                    const Ranked& ranked = {}, const Reread* reread = nullptr) {
  const Answer answer = answer_of(point);
  const CandidateSet& set = answer.sets.at(0);
  std::string out;
  if (!PointWriter(set, by, reread, mode).append(out, ranked)) {
    BOOST_TEST(out.empty());
    return "gone";
  }
  return out;
}

const Ranked kScored{.hit = 0, .score = ScoreText(0.75), .rerank_score = ScoreText(0.5)};

}  // namespace

BOOST_AUTO_TEST_SUITE(projection_suite)

BOOST_AUTO_TEST_CASE(scores_of_a_reranked_point) {
  const Projection whole = projection(Payload::whole);
  BOOST_TEST(printed(R"({"id":1,"version":2,"score":0.25,"payload":{"a":1}})", whole, ScoreMode::reranked,
                     kScored) ==
             R"({"id":1,"version":2,"score":0.75,"vector_score":0.25,"rerank_score":0.5,"payload":{"a":1}})");
  BOOST_TEST(
      printed(R"({"id":1,"version":2,"score":null,"payload":{}})", whole, ScoreMode::reranked, kScored) ==
      R"({"id":1,"version":2,"score":0.75,"vector_score":null,"rerank_score":0.5,"payload":{}})");
  // Not scored: Qdrant's own stays.
  BOOST_TEST(printed(R"({"id":1,"version":2,"score":1e5})", whole, ScoreMode::reranked) ==
             R"({"id":1,"version":2,"score":1e5,"vector_score":1e5})");
  // No score at all: ours stands behind the id, and there is nothing to keep.
  BOOST_TEST(printed(R"({"id":1,"payload":{}})", whole, ScoreMode::reranked, kScored) ==
             R"({"id":1,"score":0.75,"rerank_score":0.5,"payload":{}})");
  // Another qrerank's scores give way.
  BOOST_TEST(printed(R"({"id":1,"score":0.5,"vector_score":0.1,"rerank_score":0.2})", whole,
                     ScoreMode::reranked,
                     kScored) == R"({"id":1,"score":0.75,"vector_score":0.5,"rerank_score":0.5})");
}

BOOST_AUTO_TEST_CASE(a_point_of_a_fallback_is_what_came) {
  const std::string spaced =
      R"({ "id" : 1 , "score" : 0.5 , "vector_score":0.1, "payload" : { "a" : [ ] } })";
  BOOST_TEST(printed(spaced, projection(Payload::whole)) == spaced);
  BOOST_TEST(printed(kPoint, projection(Payload::whole)) == kPoint);
  BOOST_TEST(printed(R"({"id":1,"score":0.5,"rerank_score":0.2,"payload":{}})", projection(Payload::none)) ==
             R"({"id":1,"score":0.5,"rerank_score":0.2})");
}

BOOST_AUTO_TEST_CASE(payloads_are_cut_to_slices) {
  const std::string head = R"({"id":9,"version":3,"score":0.25)";
  const std::string tail = R"(,"shard_key":"s","order_value":1})";
  const auto expect = [&](const Projection& by, const std::string& payload) {
    BOOST_TEST(printed(kPoint, by) == head + payload + tail);
  };
  expect(projection(Payload::none), "");
  expect(projection(Payload::keep), R"(,"payload":{})");
  expect(projection(Payload::keep, {"nope"}), R"(,"payload":{})");
  expect(projection(Payload::keep, {"neg", "text"}), R"(,"payload":{"text":"a","neg":-0.0})");
  expect(projection(Payload::keep, {"dot"}), R"(,"payload":{"d\u006ft":{"x":[1, 2]}})");
  expect(projection(Payload::drop, {"text", "dot", "z"}),
         R"(,"payload":{"num":1.0,"big":18446744073709551615,"neg":-0.0,"e":1E+2})");
  expect(projection(Payload::drop, {"text", "num", "big", "neg", "e", "dot", "z"}), R"(,"payload":{})");
}

BOOST_AUTO_TEST_CASE(odd_payloads) {
  for (const Payload which : {Payload::keep, Payload::drop}) {
    BOOST_TEST(printed(R"({"id":1,"score":1.0,"payload":{}})", projection(which, {"a"})) ==
               R"({"id":1,"score":1.0,"payload":{}})");
    BOOST_TEST(printed(R"({"id":1,"score":1.0})", projection(which, {"a"})) == R"({"id":1,"score":1.0})");
    BOOST_TEST(printed(R"({"id":1,"score":1.0,"payload":null})", projection(which, {"a"})) ==
               R"({"id":1,"score":1.0,"payload":null})");
  }
  // The same name twice: both are kept, both are dropped.
  const std::string twice = R"({"id":1,"payload":{"a":1,"b":2,"a":3}})";
  BOOST_TEST(printed(twice, projection(Payload::keep, {"a"})) == R"({"id":1,"payload":{"a":1,"a":3}})");
  BOOST_TEST(printed(twice, projection(Payload::drop, {"a"})) == R"({"id":1,"payload":{"b":2}})");
}

BOOST_AUTO_TEST_CASE(the_second_reads_body) {
  Projection by = projection(Payload::reread);
  by.with_payload = R"(["meta.a", "text"])";
  by.with_vector = "false";
  const std::vector<std::string_view> ids = {"18446744073709551615",
                                             R"("5c56c793-69f3-4fbf-87e6-c4bf54c28c26")"};
  BOOST_TEST(
      reread_body(by, ids) ==
      R"({"ids":[18446744073709551615,"5c56c793-69f3-4fbf-87e6-c4bf54c28c26"],"with_payload":["meta.a", "text"],"with_vector":false})");
  by.vectors = true;
  by.with_vector = R"(["a"])";
  by.shard_key = R"(["k",2])";
  const std::vector<std::string_view> one = {"1"};
  BOOST_TEST(reread_body(by, one) ==
             R"({"ids":[1],"with_payload":["meta.a", "text"],"with_vector":["a"],"shard_key":["k",2]})");
  // The payload is here already.
  by.payload = Payload::whole;
  by.shard_key.clear();
  BOOST_TEST(reread_body(by, one) == R"({"ids":[1],"with_payload":false,"with_vector":["a"]})");
}

BOOST_AUTO_TEST_CASE(records_are_found_by_id_in_any_order) {
  const auto reread = parse_reread(
      R"({"result":[{"id":"1","payload":{"s":1}},{"id":2,"vector":[1.0,0.0]},{"id":1,"payload":{"n":1},"vector":{"":[1.0]},"shard_key":"x"}],"status":"ok","time":0.1})");
  BOOST_REQUIRE(reread.has_value());
  BOOST_TEST(reread->find("1")->payload == R"({"n":1})");
  BOOST_TEST(reread->find("1")->vector == R"({"":[1.0]})");
  BOOST_TEST(reread->find(R"("1")")->payload == R"({"s":1})");
  BOOST_TEST(reread->find("2")->payload.empty());
  BOOST_TEST(reread->find("3") == nullptr);
  for (const char* bad : {"", "{}", "[]", R"({"result":{}})", R"({"result":[1]})", R"({"result":[{}]})",
                          R"({"result":[{"id":null}]})", R"({"result":[],"result":[]})", R"({"result":[]} x)",
                          R"({"result":[{"id":1,"payload":]}]})", R"({"result":[)"}) {
    BOOST_TEST(!parse_reread(bad).has_value(), bad);
  }
}

BOOST_AUTO_TEST_CASE(members_of_the_second_read_move_in) {
  Projection by = projection(Payload::reread);
  by.vectors = true;
  const auto reread =
      parse_reread(R"({"result":[{"id":9,"payload":{"m":{"c":1}},"vector":[1.0,0.5]}]})").value();
  BOOST_TEST(
      printed(kPoint, by, ScoreMode::reranked, kScored, &reread) ==
      R"({"id":9,"version":3,"score":0.75,"vector_score":0.25,"rerank_score":0.5,"payload":{"m":{"c":1}},"vector":[1.0,0.5],"shard_key":"s","order_value":1})");
  // Fetched without a payload: it stands behind the score.
  BOOST_TEST(
      printed(R"({"id":9,"version":3,"score":0.25,"shard_key":"s"})", by, ScoreMode::own, {}, &reread) ==
      R"({"id":9,"version":3,"score":0.25,"payload":{"m":{"c":1}},"vector":[1.0,0.5],"shard_key":"s"})");
  // A vector that came unasked is replaced, not doubled.
  BOOST_TEST(printed(R"({"id":9,"score":1.0,"vector":[9.0]})", by, ScoreMode::own, {}, &reread) ==
             R"({"id":9,"score":1.0,"payload":{"m":{"c":1}},"vector":[1.0,0.5]})");
  // Only the vector is read again, the payload is a slice.
  by.payload = Payload::keep;
  by.members = {"text"};
  BOOST_TEST(
      printed(kPoint, by, ScoreMode::own, {}, &reread) ==
      R"({"id":9,"version":3,"score":0.25,"payload":{"text":"a"},"vector":[1.0,0.5],"shard_key":"s","order_value":1})");
  by.payload = Payload::none;
  BOOST_TEST(printed(R"({"id":9,"score":1.0,"payload":{"text":"a"}})", by, ScoreMode::own, {}, &reread) ==
             R"({"id":9,"score":1.0,"vector":[1.0,0.5]})");
}

BOOST_AUTO_TEST_CASE(a_point_that_is_gone_is_dropped) {
  const Projection by = projection(Payload::reread);
  const auto reread = parse_reread(R"({"result":[{"id":8,"payload":{}}]})").value();
  BOOST_TEST(printed(kPoint, by, ScoreMode::reranked, kScored, &reread) == "gone");
  BOOST_CHECK_THROW(printed(kPoint, by), std::logic_error);
}

BOOST_AUTO_TEST_CASE(the_ids_of_a_page) {
  const TextFields fields = TextFields::parse(std::vector<std::string>{"text"}, true).value();
  const auto answer =
      extract_one(R"({"result":[{"id":1},{"id":"b"},{"id":9007199254740993}]})", HitLayout::list, fields, 50)
          .value();
  const std::vector<Ranked> page = {{.hit = 2, .score = {}, .rerank_score = {}},
                                    {.hit = 1, .score = {}, .rerank_score = {}}};
  const auto ids = page_ids(answer.sets.at(0), page);
  BOOST_REQUIRE_EQUAL(ids.size(), 2U);
  BOOST_TEST(ids[0] == "9007199254740993");
  BOOST_TEST(ids[1] == R"("b")");
}

BOOST_AUTO_TEST_SUITE_END()
