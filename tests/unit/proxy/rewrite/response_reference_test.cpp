// The response side against a slow reference: generated answers, edited as a DOM and compared, and every
// cut-off prefix of them, which must be refused.
#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

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

std::string raw_hits(const std::string& body, const CandidateSet& set) {
  const std::size_t head = set.envelope.head.size();
  return body.substr(head, body.find(set.envelope.tail, head) - head);
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
      const auto set = extract(body, layout, fields(), 3);
      BOOST_REQUIRE_MESSAGE(set.has_value(), (set ? "" : set.error().why) << " in " << body);
      BOOST_REQUIRE_EQUAL(set->candidates.size(), points.size());

      const Json before = Json::parse(body);
      std::vector<double> logits;
      for (std::size_t hit : scorable(*set, 3)) {
        logits.push_back(static_cast<double>((hit * 7 + seed) % 5) - 2);
      }
      const auto page = rank(judge(*set, 3, logits), {.weight = seed % 4 == 0 ? 0.5 : 1.0, .top_k = 3});
      for (const Payload which : {Payload::none, Payload::whole, Payload::keep, Payload::drop}) {
        Projection by;
        by.payload = which;
        by.members = {"a", "text"};
        Report report;
        report.used = true;
        report.model = "m";
        const std::string composed = compose(*set, page, by, nullptr, report);
        std::string hits;
        for (const Ranked& ranked : page) {
          hits += (hits.empty() ? "" : ",") + expected_point(points[ranked.hit], ranked, by);
        }
        const std::string expected = std::string(set->envelope.head) + hits +
                                     std::string(set->envelope.tail) + "," + report_members(report) + "}";
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
      const std::string fallback = compose_fallback(*set, all, whole, nullptr, Report{});
      if (seed % 2 == 0) {
        BOOST_TEST(raw_hits(fallback, *set) == raw_hits(body, *set));
      }
      Json plain = Json::parse(fallback);
      plain.erase("reranking_used");
      BOOST_TEST((plain == before));
    }
  }
}

BOOST_AUTO_TEST_CASE(texts_are_those_of_the_reference) {
  for (unsigned seed = 0; seed < kRounds; ++seed) {
    BOOST_TEST_CONTEXT("seed " << seed) {
      Answers answers(seed + kRounds);
      Answers::Point point = answers.point();
      const auto set = extract(answers.answer({point}, HitLayout::list), HitLayout::list, fields(), 50);
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
        BOOST_TEST(set->candidates.at(0).text == expected);
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
      BOOST_TEST(!extract(cut, layout, fields(), 50).has_value(), "seed " << seed << ": " << cut);
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
      if (const auto set = extract(damaged, layout, fields(), 50)) {
        const auto page = vector_page(set->candidates.size(), 0, 10);
        BOOST_TEST(!compose_fallback(*set, page, by, nullptr, Report{}).empty());
      }
      (void)annotate(damaged, Report{});
      (void)parse_reread(damaged);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()
