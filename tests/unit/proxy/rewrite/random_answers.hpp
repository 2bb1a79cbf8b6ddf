// Generated answers whose parts are known byte for byte, for comparing the response side with a slow
// reference.
#pragma once

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "proxy/rewrite/response.hpp"

namespace random_answers {

using namespace qrerank::proxy::rewrite;
using Json = nlohmann::ordered_json;

inline constexpr unsigned kRounds = 400;

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

inline TextFields fields() {
  return TextFields::parse(std::vector<std::string>{"text", "a", "\"d.k\"", "text[].k"}, false).value();
}

inline std::string joined(const std::vector<std::string>& members) {
  std::string out = "{";
  for (const std::string& member : members) {
    out += (out.size() > 1 ? "," : "") + member;
  }
  return out + "}";
}

/// The point as it must come out, written by the generator's own parts.
inline std::string expected_point(const Answers::Point& point, const Ranked& ranked, const Projection& by) {
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

}  // namespace random_answers
