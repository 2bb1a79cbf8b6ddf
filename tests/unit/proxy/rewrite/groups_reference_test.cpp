// Groups against the contract told once more the slow way.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "one_result.hpp"
#include "proxy/rewrite/response.hpp"
#include "random_answers.hpp"

using namespace random_answers;

namespace {

// What the contract says of groups, told once more the slow way: over lists of points that know everything.
struct SlowHit {
  std::size_t point = 0;
  Ranked ranked;
  double final = -1;  // below every score: not scored
};

std::string slow_groups(const std::vector<std::vector<std::size_t>>& groups,
                        const std::vector<Answers::Point>& points, const std::vector<std::string>& tails,
                        const std::map<std::string, double>& finals,
                        const std::map<std::string, double>& judged, const SearchPlan& plan,
                        const Projection& by) {
  struct SlowGroup {
    std::vector<SlowHit> hits;
    std::string tail;
    double best = -1;
  };
  std::vector<SlowGroup> made;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    SlowGroup group{.hits = {}, .tail = tails[g]};
    for (const std::size_t point : groups[g]) {
      SlowHit hit{.point = point, .ranked = {}};
      if (const auto found = finals.find(points[point].id); found != finals.end()) {
        hit.final = found->second;
        hit.ranked.score = ScoreText(hit.final);
        hit.ranked.rerank_score = ScoreText(judged.at(points[point].id));
      }
      if (!plan.options.score_threshold || hit.final >= *plan.options.score_threshold) {
        group.best = std::max(group.best, hit.final);
        group.hits.push_back(hit);
      }
    }
    // Insertion by insertion: each goes before the first that is worse.
    std::vector<SlowHit> sorted;
    for (const SlowHit& hit : group.hits) {
      const auto worse = std::find_if(sorted.begin(), sorted.end(),
                                      [&](const SlowHit& other) { return other.final < hit.final; });
      sorted.insert(worse, hit);
    }
    group.hits = std::move(sorted);
    if (!group.hits.empty()) {
      const auto worse = std::find_if(made.begin(), made.end(),
                                      [&](const SlowGroup& other) { return other.best < group.best; });
      made.insert(worse, std::move(group));
    }
  }
  std::string text;
  for (std::size_t g = 0; g < made.size() && g < plan.limit; ++g) {
    text += std::string(g > 0 ? "," : "") + R"({"hits":[)";
    for (std::size_t h = 0; h < made[g].hits.size() && h < plan.group_size; ++h) {
      const SlowHit& hit = made[g].hits[h];
      text += (h > 0 ? "," : "") + expected_point(points[hit.point], hit.ranked, by);
    }
    text += "]" + made[g].tail + "}";
  }
  return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(groups_reference_suite)

BOOST_AUTO_TEST_CASE(groups_come_out_byte_for_byte) {
  for (unsigned seed = 0; seed < kRounds; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Answers answers(seed + 5000);
      // Points by their ids, each in any number of groups, at most once in one.
      std::vector<Answers::Point> points;
      for (std::size_t i = answers.below(9); i > 0; --i) {
        Answers::Point point = answers.point();
        point.id = std::to_string(18446744073709551000ULL + i);
        points.push_back(std::move(point));
      }
      std::vector<std::vector<std::size_t>> groups(answers.below(6));
      std::vector<std::string> tails;
      std::string body = R"({"result":{"groups":[)";
      for (std::size_t g = 0; g < groups.size(); ++g) {
        body += std::string(g > 0 ? "," : "") + R"({"hits":[)";
        for (std::size_t point = 0; point < points.size(); ++point) {
          if (answers.below(2) == 0) {
            body += (groups[g].empty() ? "" : ",") + answers.text(points[point]);
            groups[g].push_back(point);
          }
        }
        tails.push_back(answers.below(2) == 0 ? R"(,"id":"g")" : R"(,"id":7,"lookup":)" + answers.value(2));
        body += "]" + tails.back() + "}";
      }
      body += R"(]},"time":0.1})";

      SearchPlan plan;
      plan.layout = HitLayout::groups;
      plan.top_k = 1 + answers.below(9);
      plan.limit = 1 + answers.below(5);
      plan.group_size = 1 + answers.below(5);
      if (answers.below(3) == 0) plan.options.score_threshold = 0.5;
      const auto answer = extract_one(body, HitLayout::groups, fields(), plan.top_k);
      BOOST_REQUIRE_MESSAGE(answer.has_value(), (answer ? "" : answer.error().why) << " in " << body);
      const CandidateSet& set = answer->sets.at(0);

      // The first top_k different points, group by group.
      std::vector<std::string> order;
      for (const auto& group : groups) {
        for (const std::size_t point : group) {
          if (std::find(order.begin(), order.end(), points[point].id) == order.end()) {
            order.push_back(points[point].id);
          }
        }
      }
      order.resize(std::min<std::size_t>(order.size(), plan.top_k));
      std::vector<double> logits;
      std::map<std::string, double> judged;
      std::vector<std::string> scored;
      for (const std::size_t hit : scorable(set, plan.top_k)) {
        const std::string id(set.candidates[hit].id);
        BOOST_TEST((std::find(order.begin(), order.end(), id) != order.end()));
        BOOST_TEST(!judged.contains(id));
        logits.push_back(static_cast<double>(answers.below(5)) - 2);
        judged[id] = 1 / (1 + std::exp(-logits.back()));
      }
      for (const std::string& id : order) {
        const auto point =
            std::find_if(points.begin(), points.end(), [&](const auto& p) { return p.id == id; });
        const auto alone =
            extract_one(answers.answer({*point}, HitLayout::list), HitLayout::list, fields(), 1);
        BOOST_TEST(judged.contains(id) == alone->sets.at(0).candidates.at(0).has_text());
      }
      Projection by;
      by.payload = seed % 2 == 0 ? Projection::Payload::whole : Projection::Payload::drop;
      by.members = {"a"};
      Report report;
      report.used = true;
      const Page page = reranked_page(set, judge(set, plan.top_k, logits), plan);
      std::map<std::string, double> finals;
      for (const auto& [id, score] : judged) {
        for (std::size_t hit = 0; hit < set.candidates.size(); ++hit) {
          if (set.candidates[hit].id == id && set.candidates[hit].first == hit) {
            finals[id] = qrerank::reranker::sigmoid(*judge(set, plan.top_k, logits)[hit].logit);
            BOOST_TEST(finals[id] == score, boost::test_tools::tolerance(1e-12));
          }
        }
      }
      const std::string expected = R"({"result":{"groups":[)" +
                                   slow_groups(groups, points, tails, finals, finals, plan, by) +
                                   R"(]},"time":0.1,)" + report_members(report) + "}";
      BOOST_TEST(compose_one(*answer, page, by, nullptr, report, ScoreMode::reranked) == expected);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
