// The response side against a slow reference: generated answers, edited as a DOM and compared, and every
// cut-off prefix of them, which must be refused.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "one_result.hpp"
#include "proxy/rewrite/response.hpp"

using namespace qrerank::proxy::rewrite;
using Json = nlohmann::ordered_json;

namespace {

constexpr unsigned kRounds = 400;

/// Writes random answers, and remembers the very bytes of their parts.
class Answers {
 public:
  explicit Answers(unsigned seed) : random_(seed) {}

  struct Point {
    std::string id, score, payload;  // payload empty: absent
    std::vector<std::pair<std::string, std::string>> payload_members;
    std::string before, after;  // unknown members around
  };

  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
  }
  std::string one_of(const std::vector<std::string>& from) { return from[below(from.size())]; }
  std::string space() { return spaced_ ? one_of({"", "", " ", "\n\t", "  "}) : ""; }

  std::string number() {
    return one_of({"0", "-0.0", "1.0", "1e5", "1E+2", "-1e-7", "9007199254740993", "18446744073709551615",
                   "0.99248314"});
  }
  std::string string() {
    std::string out = "\"";
    for (std::size_t i = below(6); i > 0; --i) {
      out += one_of({"a", "word ", "\xc3\xa9", "\xf0\x9f\x98\x80", R"(\")", R"(\\)", R"(\u00e9)",
                     R"(\ud83d\ude00)", R"(\n)", "{", "]", ",", ":", R"(\/)"});
    }
    return out + "\"";
  }
  std::string value(unsigned depth) {
    switch (below(depth > 0 ? 7 : 4)) {
      case 0:
        return number();
      case 1:
        return one_of({"null", "true", "false"});
      case 2:
      case 3:
        return string();
      case 4: {
        std::string out = "[";
        for (std::size_t i = 0, n = below(4); i < n; ++i) {
          out += (i > 0 ? "," : "") + space() + value(depth - 1) + space();
        }
        return out + "]";
      }
      case 5: {
        std::string deep = number();
        for (std::size_t i = below(100); i > 0; --i) {
          deep = i % 2 == 0 ? "[" + deep + "]" : R"({"k":)" + deep + "}";
        }
        return deep;
      }
      default: {
        std::string out = "{";
        for (std::size_t i = 0, n = below(4); i < n; ++i) {
          out +=
              (i > 0 ? "," : "") + space() + string() + space() + ":" + space() + value(depth - 1) + space();
        }
        return out + "}";
      }
    }
  }

  Point point() {
    Point made;
    made.id = one_of(
        {std::to_string(below(1000)), "18446744073709551615", R"("5c56c793-69f3-4fbf-87e6-c4bf54c28c26")"});
    made.score = one_of({number(), number(), "null"});
    if (below(8) > 0) {
      for (std::size_t i = below(6); i > 0; --i) {
        made.payload_members.emplace_back(
            one_of({R"("text")", R"("a")", R"("d.k")", R"("\u0061")", string()}), value(3));
      }
      made.payload = "{";
      for (const auto& [key, member] : made.payload_members) {
        made.payload +=
            (made.payload.size() > 1 ? "," : "") + space() + key + space() + ":" + space() + member + space();
      }
      made.payload += "}";
    }
    made.before = below(3) == 0 ? R"("version":3)" : "";
    made.after = below(3) == 0 ? R"("shard_key":)" + value(1) : "";
    return made;
  }

  std::string text(const Point& point) {
    std::string out = "{" + space() + R"("id")" + space() + ":" + space() + point.id;
    if (!point.before.empty()) {
      out += "," + point.before;
    }
    out += space() + "," + space() + R"("score":)" + space() + point.score + space();
    if (!point.payload.empty()) {
      out += "," + space() + R"("payload":)" + space() + point.payload;
    }
    if (!point.after.empty()) {
      out += space() + "," + point.after;
    }
    return out + space() + "}";
  }

  std::string answer(const std::vector<Point>& points, HitLayout layout) {
    std::string hits = "[";
    for (const Point& point : points) {
      hits += (hits.size() > 1 ? "," : "") + space() + text(point) + space();
    }
    hits += "]";
    if (layout == HitLayout::points) {
      hits = "{" + space() + R"("points":)" + space() + hits + space() + "}";
    }
    return "{" + space() + R"("result":)" + hits + space() + R"(,"status":"ok","time":)" + number() +
           (below(2) == 0 ? R"(,"usage":)" + value(2) : "") + space() + "}";
  }

  void with_spaces(bool spaced) { spaced_ = spaced; }

 private:
  std::mt19937 random_;
  bool spaced_ = false;
};

TextFields fields() {
  return TextFields::parse(std::vector<std::string>{"text", "a", "\"d.k\"", "text[].k"}, false).value();
}

std::string joined(const std::vector<std::string>& members) {
  std::string out = "{";
  for (const std::string& member : members) {
    out += (out.size() > 1 ? "," : "") + member;
  }
  return out + "}";
}

/// The point as it must come out, written by the generator's own parts.
std::string expected_point(const Answers::Point& point, const Ranked& ranked, const Projection& by) {
  std::vector<std::string> members = {R"("id":)" + point.id};
  if (!point.before.empty()) {
    members.push_back(point.before);
  }
  members.push_back(R"("score":)" + (ranked.score.empty() ? point.score : std::string(ranked.score.view())));
  members.push_back(R"("vector_score":)" + point.score);
  if (!ranked.rerank_score.empty()) {
    members.push_back(R"("rerank_score":)" + std::string(ranked.rerank_score.view()));
  }
  using Payload = Projection::Payload;
  if (!point.payload.empty() && by.payload == Payload::whole) {
    members.push_back(R"("payload":)" + point.payload);
  } else if (!point.payload.empty() && by.payload != Payload::none) {
    std::vector<std::string> kept;
    for (const auto& [key, value] : point.payload_members) {
      const auto name = Json::parse(key).get<std::string>();
      const bool named = std::find(by.members.begin(), by.members.end(), name) != by.members.end();
      if (named == (by.payload == Payload::keep)) {
        kept.push_back(key + ":" + value);
      }
    }
    members.push_back(R"("payload":)" + joined(kept));
  }
  if (!point.after.empty()) {
    members.push_back(point.after);
  }
  return joined(members);
}

std::string raw_hits(const std::string& body, const Answer& answer) {
  const std::size_t head = before_hits(answer).size();
  return body.substr(head, body.find(behind_hits(answer), head) - head);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(response_reference_suite)

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

BOOST_AUTO_TEST_CASE(texts_are_those_of_the_reference) {
  for (unsigned seed = 0; seed < kRounds; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Answers answers(seed + kRounds);
      Answers::Point point = answers.point();
      const auto set = extract_one(answers.answer({point}, HitLayout::list), HitLayout::list, fields(), 50);
      BOOST_REQUIRE(set.has_value());
      // The first member of a name counts; the reference keeps the last.
      std::vector<std::pair<std::string, Json>> members;
      for (const auto& [key, value] : point.payload_members) {
        members.emplace_back(Json::parse(key).get<std::string>(), Json::parse(value));
      }
      std::string expected;
      const auto take = [&](const Json& value, const std::string& spelled) {
        if (value.is_string()) {
          join_line(expected, value.get<std::string>());
        } else if (value.is_number()) {
          join_line(expected, spelled);
        }
      };
      for (const char* name : {"text", "a", "d.k"}) {
        for (std::size_t i = 0; i < members.size(); ++i) {
          if (members[i].first != name) {
            continue;
          }
          if (members[i].second.is_array()) {
            // Numbers in lists keep their spelling too: the reference knows it for scalars only, so compare
            // as strings.
            for (const Json& element : members[i].second) {
              take(element, element.dump());
            }
          } else {
            take(members[i].second, point.payload_members[i].second);
          }
          break;
        }
      }
      const bool lists_of_numbers = std::any_of(members.begin(), members.end(), [](const auto& member) {
        return member.second.is_array() && std::any_of(member.second.begin(), member.second.end(),
                                                       [](const Json& e) { return e.is_number_float(); });
      });
      const bool nested = std::any_of(members.begin(), members.end(), [](const auto& member) {
        return member.first == "text" && member.second.is_array();
      });
      if (!lists_of_numbers && !nested) {
        BOOST_TEST(set->sets.at(0).candidates.at(0).text == expected);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(every_cut_off_answer_is_refused) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    Answers answers(seed);
    answers.with_spaces(seed % 2 == 1);
    const HitLayout layout = seed % 3 == 0 ? HitLayout::points : HitLayout::list;
    const std::string body = answers.answer({answers.point(), answers.point()}, layout);
    for (std::size_t size = 0; size < body.size(); ++size) {
      const std::string cut = body.substr(0, size);
      BOOST_TEST(!extract_one(cut, layout, fields(), 50).has_value(), "seed " << seed << ": " << cut);
      BOOST_TEST(!annotate(cut, Report{}).has_value(), "seed " << seed << ": " << cut);
      BOOST_TEST(!parse_reread(cut).has_value(), "seed " << seed << ": " << cut);
    }
  }
}

BOOST_AUTO_TEST_CASE(damaged_answers_never_crash) {
  constexpr std::string_view kDamage = "{}[],:\"\\x0-\n";
  for (unsigned seed = 0; seed < 40; ++seed) {
    Answers answers(seed);
    const HitLayout layout = seed % 3 == 0 ? HitLayout::points : HitLayout::list;
    const std::string body = answers.answer({answers.point(), answers.point()}, layout);
    Projection by;
    by.payload = Projection::Payload::drop;
    by.members = {"a"};
    for (std::size_t at = 0; at < body.size(); ++at) {
      std::string damaged = body;
      damaged[at] = kDamage[answers.below(kDamage.size())];
      if (at % 3 == 0) {
        damaged.erase(at, 1 + answers.below(3));
      }
      if (const auto set = extract_one(damaged, layout, fields(), 50)) {
        const auto page = vector_page(set->sets.at(0).candidates.size(), 0, 10);
        BOOST_TEST(!own_one(*set, page, by, nullptr, Report{}).empty());
      }
      (void)annotate(damaged, Report{});
      (void)parse_reread(damaged);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
