// Lists of points, alone and in batches, against a slow reference: generated answers, edited as a DOM and
// compared.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "one_result.hpp"
#include "proxy/rewrite/response.hpp"
#include "random_answers.hpp"

using namespace random_answers;

namespace {

std::string raw_hits(const std::string& body, const Answer& answer) {
  const std::size_t head = before_hits(answer).size();
  return body.substr(head, body.find(behind_hits(answer), head) - head);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(points_reference_suite)

BOOST_AUTO_TEST_CASE(points_come_out_byte_for_byte) {
  using Payload = Projection::Payload;
  for (unsigned seed = 0; seed < kRounds; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Answers answers(seed);
      answers.with_spaces(seed % 2 == 1);
      const HitLayout layout = seed % 3 == 0 ? HitLayout::points : HitLayout::list;
      std::vector<Answers::Point> points(answers.below(6));
      for (auto& point : points) {
        point = answers.point();
      }
      const std::string body = answers.answer(points, layout);
      const auto answer = extract_one(body, layout, fields(), 3);
      BOOST_REQUIRE_MESSAGE(answer.has_value(), (answer ? "" : answer.error().why) << " in " << body);
      const CandidateSet& set = answer->sets.at(0);
      BOOST_REQUIRE_EQUAL(set.candidates.size(), points.size());

      const Json before = Json::parse(body);
      std::vector<double> logits;
      for (std::size_t hit : scorable(set, 3)) {
        logits.push_back(static_cast<double>((hit * 7 + seed) % 5) - 2);
      }
      const auto page = rank(judge(set, 3, logits), {.weight = seed % 4 == 0 ? 0.5 : 1.0, .top_k = 3});
      for (const Payload which : {Payload::none, Payload::whole, Payload::keep, Payload::drop}) {
        Projection by;
        by.payload = which;
        by.members = {"a", "text"};
        Report report;
        report.used = true;
        report.model = "m";
        const std::string composed = reranked_one(*answer, page, by, nullptr, report);
        std::string hits;
        for (const Ranked& ranked : page) {
          hits += (hits.empty() ? "" : ",") + expected_point(points[ranked.hit], ranked, by);
        }
        const std::string expected =
            before_hits(*answer) + hits + behind_hits(*answer) + "," + report_members(report) + "}";
        BOOST_TEST(composed == expected);
        // As a DOM: the envelope is what came, with ours added.
        Json after = Json::parse(composed);
        BOOST_TEST(after.at("reranking_used") == true);
        for (const char* ours :
             {"reranking_used", "reranker_model", "reranking_time_ms", "reranking_candidates"}) {
          after.erase(ours);
        }
        after["result"] = before.at("result");
        BOOST_TEST((after == before));
      }
      // A fallback with everything is the very bytes that came.
      Projection whole;
      whole.payload = Payload::whole;
      const auto all = vector_page(points.size(), 0, points.size());
      const std::string fallback = own_one(*answer, all, whole, nullptr, Report{});
      if (seed % 2 == 0) {
        BOOST_TEST(raw_hits(fallback, *answer) == raw_hits(body, *answer));
      }
      Json plain = Json::parse(fallback);
      plain.erase("reranking_used");
      BOOST_TEST((plain == before));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_batch_is_its_searches_one_by_one) {
  for (unsigned seed = 0; seed < kRounds; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Answers answers(seed + 9000);
      const HitLayout layout = seed % 2 == 0 ? HitLayout::points : HitLayout::list;
      std::string list;
      std::vector<std::string> results;
      for (std::size_t i = answers.below(5); i > 0; --i) {
        std::vector<Answers::Point> points(answers.below(4));
        std::generate(points.begin(), points.end(), [&] { return answers.point(); });
        const std::string single = answers.answer(points, layout);
        const auto whole = extract_whole(single, false, 1);
        BOOST_REQUIRE(whole.has_value());
        results.emplace_back(whole->sets.at(0).whole);
        list += (list.empty() ? "" : ",") + results.back();
      }
      const auto by_fields = fields();
      const std::vector<ResultReading> readings(
          results.size(), ResultReading{.layout = layout, .fields = &by_fields, .top_k = 3});
      const auto batch = extract(R"({"result":[)" + list + R"(],"time":1})", true, readings);
      BOOST_REQUIRE_MESSAGE(batch.has_value(), (batch ? "" : batch.error().why) << " in " << list);
      Projection by;
      by.payload = Projection::Payload::drop;
      by.members = {"text"};
      std::vector<Page> pages;
      std::vector<ResultPart> parts(results.size());
      std::string expected;
      for (std::size_t i = 0; i < results.size(); ++i) {
        const CandidateSet& set = batch->sets[i];
        std::vector<double> logits(scorable(set, 3).size());
        std::generate(logits.begin(), logits.end(), [&] { return static_cast<double>(answers.below(3)); });
        pages.push_back({.hits = rank(judge(set, 3, logits), {.top_k = 3}), .groups = {}});
        // The same search by itself.
        const auto alone = extract_one(R"({"result":)" + results[i] + "}", layout, by_fields, 3);
        const CandidateSet& one = alone->sets.at(0);
        const auto page = rank(judge(one, 3, logits), {.top_k = 3});
        const std::string text = reranked_one(*alone, page, by, nullptr, Report{});
        expected += (i > 0 ? "," : "") + text.substr(10, text.find(R"(,"reranking_used":false})") - 10);
      }
      for (std::size_t i = 0; i < results.size(); ++i) {
        parts[i] = {.as_it_is = {},
                    .set = &batch->sets[i],
                    .page = &pages[i],
                    .projection = &by,
                    .mode = ScoreMode::reranked};
      }
      BOOST_TEST(compose(*batch, parts, Report{}) ==
                 R"({"result":[)" + expected + R"(],"time":1,"reranking_used":false})");
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
