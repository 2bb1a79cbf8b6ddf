// Answers in groups: taken apart, ordered, put together.
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "one_result.hpp"

using namespace qrerank::proxy::rewrite;

namespace {

// Point 2 stands in two groups, point 5 has no text.
constexpr const char* kHits =
    R"({"result":{"groups":[)"
    R"({"hits":[{"id":1,"score":0.9,"payload":{"text":"one"}},{"id":2,"score":0.8,"payload":{"text":"t\"o"}}],"id":"a"},)"
    R"({"hits":[{"id":3,"score":0.7,"payload":{"text":"three"}},{"id":2,"score":0.8,"payload":{"text":"t\"o"}}],"id":7,"lookup":{"id":7,"payload":{"x":1.0}}},)"
    R"({"hits":[{"id":5,"score":0.6,"payload":{}}],"id":"c"},)"
    R"({"hits":[{"id":6,"score":0.5,"payload":{"text":"six"}},{"id":5,"score":0.6,"payload":{}}],"x":[],"id":"d"})"
    R"(],"y":0},"status":"ok","time":0.1})";

Answer taken(std::uint64_t top_k = 50, const std::string& body = kHits) {
  const auto fields = TextFields::parse(std::vector<std::string>{"text"}, true).value();
  auto answer = extract_one(body, HitLayout::groups, fields, top_k);
  BOOST_REQUIRE_MESSAGE(answer.has_value(), (answer ? "" : answer.error().why));
  return std::move(*answer);
}

SearchPlan plan(std::uint64_t limit, std::uint64_t group_size, std::uint64_t top_k = 50) {
  SearchPlan made;
  made.layout = HitLayout::groups;
  made.limit = limit;
  made.group_size = group_size;
  made.top_k = top_k;
  return made;
}

// "a:2,1 7:3": groups by their index, hits by the id of their point.
std::string shown(const Answer& answer, const Page& page) {
  std::string text;
  std::size_t at = 0;
  for (const PageGroup& group : page.groups) {
    text += (text.empty() ? "" : " ") + std::to_string(group.group) + ":";
    for (std::size_t i = 0; i < group.hits; ++i, ++at) {
      text += i > 0 ? "," : "";
      text += answer.sets.at(0).candidates.at(page.hits.at(at).hit).id;
      text += page.hits[at].rerank_score.empty() ? "-" : "";
    }
  }
  BOOST_TEST(at == page.hits.size());
  return text;
}

std::string ordered(const SearchPlan& by, const std::vector<double>& logits) {
  const Answer answer = taken(by.top_k);
  const CandidateSet& set = answer.sets.at(0);
  return shown(answer, reranked_page(set, judge(set, by.top_k, logits), by));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(groups_suite)

BOOST_AUTO_TEST_CASE(groups_come_apart_into_their_own_bytes) {
  const Answer answer = taken();
  const CandidateSet& set = answer.sets.at(0);
  BOOST_TEST(answer.head == R"({"result":)");
  BOOST_TEST(set.head == R"({"groups":[)");
  BOOST_TEST(set.tail == R"(],"y":0})");
  BOOST_TEST(answer.tail == R"(,"status":"ok","time":0.1)");
  BOOST_REQUIRE_EQUAL(set.groups.size(), 4U);
  BOOST_TEST(set.groups[1].head == R"({"hits":[)");
  BOOST_TEST(set.groups[1].tail == R"(],"id":7,"lookup":{"id":7,"payload":{"x":1.0}}})");
  BOOST_TEST(set.groups[3].tail == R"(],"x":[],"id":"d"})");
  BOOST_TEST(set.groups[3].first_hit == 5U);
  BOOST_REQUIRE_EQUAL(set.candidates.size(), 7U);
  // A point is known again; what has no text still counts as a point.
  BOOST_TEST(set.candidates[3].first == 1U);
  BOOST_TEST(set.candidates[3].place == 1U);
  BOOST_TEST(set.candidates[3].text == "t\"o");
  BOOST_TEST(set.candidates[5].place == 4U);
  BOOST_TEST(set.candidates[6].first == 4U);
}

BOOST_AUTO_TEST_CASE(different_points_are_scored_once) {
  const Answer all = taken();
  BOOST_TEST(scorable(all.sets[0], 50) == (std::vector<std::size_t>{0, 1, 2, 5}),
             boost::test_tools::per_element());
  const Answer three = taken(3);
  BOOST_TEST(scorable(three.sets[0], 3) == (std::vector<std::size_t>{0, 1, 2}),
             boost::test_tools::per_element());
  const auto judged = judge(three.sets[0], 3, std::vector<double>{1, 2, 3});
  BOOST_TEST(judged[3].logit.value() == 2.0);
  BOOST_TEST(!judged[5].logit.has_value());
}

BOOST_AUTO_TEST_CASE(order_within_and_of_groups) {
  // Logits of points 1, 2, 3, 6.
  BOOST_TEST(ordered(plan(10, 10), {0, 1, -1, 2}) == "3:6,5- 0:2,1 1:2,3 2:5-");
  // Equal best hits: Qdrant's order. Equal hits: vector order.
  BOOST_TEST(ordered(plan(10, 10), {2, 2, -1, 2}) == "0:1,2 1:2,3 3:6,5- 2:5-");
  // At weight 0 nothing moves but what was not scored.
  auto still = plan(10, 10);
  still.options.weight = 0;
  BOOST_TEST(ordered(still, {0, 1, -1, 2}) == "0:1,2 1:3,2 3:6,5- 2:5-");
}

BOOST_AUTO_TEST_CASE(cut_to_what_was_asked_for) {
  BOOST_TEST(ordered(plan(2, 1), {0, 1, -1, 2}) == "3:6 0:2");
  BOOST_TEST(ordered(plan(1, 2), {0, 1, -1, 2}) == "3:6,5-");
  BOOST_TEST(ordered(plan(10, 1, 3), {0, 1, -1}) == "0:2 1:2 2:5- 3:6-");
}

BOOST_AUTO_TEST_CASE(a_threshold_drops_hits_and_emptied_groups) {
  auto by = plan(10, 10);
  by.options.score_threshold = 0.6;  // sigmoid(1) = 0.73
  BOOST_TEST(ordered(by, {0, 1, -1, 2}) == "3:6 0:2 1:2");
  by.options.score_threshold = 0.8;
  BOOST_TEST(ordered(by, {0, 1, -1, 2}) == "3:6");
  by.options.score_threshold = 0.99;
  BOOST_TEST(ordered(by, {0, 1, -1, 2}).empty());
}

BOOST_AUTO_TEST_CASE(z_scores_count_a_point_once) {
  auto by = plan(10, 10);
  by.options.weight = 0.5;
  const Answer answer = taken();
  const CandidateSet& set = answer.sets.at(0);
  const std::vector<double> logits = {0, 1, -1, 2};
  const auto judged = judge(set, 50, logits);
  const Page page = reranked_page(set, judged, by);
  // The reference: the same four points in a list.
  std::vector<Judged> list = {{0.9, 0.0}, {0.8, 1.0}, {0.7, -1.0}, {0.5, 2.0}};
  const auto finals = final_scores(list, 0.5);
  for (const Ranked& ranked : page.hits) {
    const std::string_view id = set.candidates[ranked.hit].id;
    if (id == "5") {
      BOOST_TEST(ranked.score.empty());
    } else {
      const std::size_t at = id == "1" ? 0 : id == "2" ? 1 : id == "3" ? 2 : 3;
      BOOST_TEST(ranked.score.view() == ScoreText(finals[at].value()).view());
    }
  }
}

BOOST_AUTO_TEST_CASE(composed_from_slices) {
  const Answer answer = taken();
  const CandidateSet& set = answer.sets.at(0);
  Projection whole;
  whole.payload = Projection::Payload::whole;
  const auto by = plan(2, 1);
  const Page page = reranked_page(set, judge(set, 50, std::vector<double>{-8, -8, 0, -8}), by);
  Report report;
  report.used = true;
  report.model = "m";
  report.candidates = 4;
  std::string expected =
      R"({"result":{"groups":[{"hits":[{"id":3,"score":0.5,"vector_score":0.7,"rerank_score":0.5,"payload":{"text":"three"}}],"id":7,"lookup":{"id":7,"payload":{"x":1.0}}},)"
      R"({"hits":[{"id":1,"score":LEAST,"vector_score":0.9,"rerank_score":LEAST,"payload":{"text":"one"}}],"id":"a"}],"y":0},"status":"ok","time":0.1,)"
      R"("reranking_used":true,"reranker_model":"m","reranking_time_ms":0.0,"reranking_candidates":4})";
  const std::string least(ScoreText(qrerank::reranker::sigmoid(-8)).view());
  for (std::size_t at = expected.find("LEAST"); at != std::string::npos; at = expected.find("LEAST")) {
    expected.replace(at, 5, least);
  }
  BOOST_TEST(compose_one(answer, page, whole, nullptr, report, ScoreMode::reranked) == expected);
  Projection gone;
  gone.payload = Projection::Payload::reread;
  const auto reread = parse_reread(R"({"result":[{"id":1,"payload":{"a":1}}]})").value();
  BOOST_TEST(
      compose_one(answer, page, gone, &reread, Report{}, ScoreMode::own) ==
      R"({"result":{"groups":[{"hits":[{"id":1,"score":0.9,"payload":{"a":1}}],"id":"a"}],"y":0},"status":"ok","time":0.1,"reranking_used":false})");
  // The page names point 2 twice, the second read asks for it once.
  const Page all = own_page(set, plan(10, 10));
  BOOST_TEST(shown(answer, all) == "0:1-,2- 1:3-,2- 2:5- 3:6-,5-");
  BOOST_TEST(page_ids(set, all.hits).size() == 5U);
  std::string body = compose_one(answer, all, whole, nullptr, Report{}, ScoreMode::own);
  body.replace(body.find(R"(,"reranking_used":false)"), 23, "");
  BOOST_TEST(body == kHits);
}

BOOST_AUTO_TEST_CASE(what_is_no_answer_in_groups) {
  const auto fields = TextFields::parse(std::vector<std::string>{"text"}, true).value();
  for (const char* body :
       {R"({"result":[]})", R"({"result":{"points":[]}})", R"({"result":{"groups":{}}})",
        R"({"result":{"groups":[{}]}})", R"({"result":{"groups":[{"id":1}]}})",
        R"({"result":{"groups":[{"hits":{}}]}})", R"({"result":{"groups":[{"hits":[],"hits":[]}]}})",
        R"({"result":{"groups":[[]]}})", R"({"result":{"groups":[{"hits":[1]}]}})",
        R"({"result":{"groups":[],"groups":[]}})"}) {
    BOOST_TEST(!extract_one(body, HitLayout::groups, fields, 50).has_value(), body);
  }
  BOOST_TEST(taken(50, R"({"result":{"groups":[]}})").sets[0].groups.empty());
  BOOST_TEST(taken(50, R"({"result":{"groups":[{"hits":[],"id":1}]}})").sets[0].groups.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
