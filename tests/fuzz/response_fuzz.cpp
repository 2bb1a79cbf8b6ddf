// Answers of an upstream that need not be Qdrant's: taken apart, scored, ordered and written again. What
// comes out must be the answer that came in with its points moved, compared as DOMs.
#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "proxy/rewrite/response.hpp"
#include "tests/fuzz/dom.hpp"
#include "tests/fuzz/property.hpp"

namespace qrerank::fuzz {
namespace {

using namespace proxy::rewrite;

constexpr std::size_t kControls = 8;

// The first bytes of an input choose how the rest is read; digits, so that seeds can be read.
struct Controls {
  HitLayout layout;
  bool batch;
  std::size_t results;
  SearchPlan plan;

  explicit Controls(std::string_view text) {
    const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]) - unsigned{'0'}; };
    layout = std::array{HitLayout::list, HitLayout::points, HitLayout::groups}[at(0) % 3];
    batch = at(1) % 4 != 0;
    results = batch ? at(1) % 4 : 1;
    plan.layout = layout;
    plan.top_k = 1 + at(2) % 8;
    plan.options.weight = static_cast<double>(at(3) % 5) / 4;
    if (at(4) % 3 == 1) plan.options.score_threshold = 0.5;
    plan.offset = at(5) % 3;
    plan.limit = 1 + at(6) % 6;
    plan.group_size = 1 + at(5) % 3;
    plan.projection.payload =
        std::array{Projection::Payload::whole, Projection::Payload::none, Projection::Payload::keep,
                   Projection::Payload::drop, Projection::Payload::reread}[at(7) % 5];
    plan.projection.members = {"a", "text"};
    plan.projection.with_payload = "true";
    plan.projection.with_vector = "false";
  }
};

const TextFields& fields() {
  static const TextFields all =
      TextFields::parse(std::vector<std::string>{"text", "a", "\"d.k\"", "text[].k"}, false).value();
  return all;
}

void erase_ours(Json& answer) {
  for (const char* ours : {"reranking_used", "reranker_model", "reranking_time_ms", "reranking_candidates",
                           "reranking_reason", "reranking"}) {
    answer.erase(ours);
  }
}

// The points of one result, where it is as Qdrant writes it.
std::vector<Json> points_of(const Json& result, HitLayout layout) {
  std::vector<Json> points;
  const auto take = [&](const Json& list) { points.insert(points.end(), list.begin(), list.end()); };
  if (layout == HitLayout::list) take(result);
  if (layout == HitLayout::points) take(result.at("points"));
  if (layout == HitLayout::groups) {
    for (const Json& group : result.at("groups")) take(group.at("hits"));
  }
  return points;
}

const Json& result_at(const Json& answer, bool batch, std::size_t place) {
  return batch ? answer.at("result").at(place) : answer.at("result");
}

void is_point(const Json& point, const std::map<std::string, const Json*>& known, const Controls& controls) {
  const auto found = known.find(point.at("id").dump());
  must(found != known.end(), "a returned point was a candidate");
  const Json& before = *found->second;
  if (point.contains("rerank_score")) {
    const double score = point.at("rerank_score").get<double>();
    must(score >= 0 && score <= 1, "a rerank_score is a probability");
  }
  must(!before.contains("score") || point.at("vector_score") == before.at("score"), "Qdrant's score is kept");
  const auto payload = controls.plan.projection.payload;
  if (payload == Projection::Payload::none) must(!point.contains("payload"), "no payload was asked for");
  if (payload == Projection::Payload::whole && before.contains("payload") &&
      before.at("payload").is_object()) {
    must(point.at("payload") == before.at("payload"), "a payload moves as it is");
  }
}

void compare_result(const Json& before, const Json& after, const Controls& controls) {
  const auto candidates = points_of(before, controls.layout);
  const auto returned = points_of(after, controls.layout);
  const bool groups = controls.layout == HitLayout::groups;
  must(returned.size() <= controls.plan.limit * (groups ? controls.plan.group_size : 1),
       "no more than was asked for");
  std::map<std::string, const Json*> known;
  bool twice =
      false;  // a point of several groups, or an upstream's fault: which of them it is cannot be told
  for (const Json& point : candidates) twice = !known.emplace(point.at("id").dump(), &point).second || twice;
  double last = 2;
  for (const Json& point : returned) {
    if (!twice) is_point(point, known, controls);
    if (groups || !point.contains("rerank_score")) continue;
    const double score = point.at("score").get<double>();
    must(score <= last || *controls.plan.options.weight == 0, "scored points come by their score");
    must(score >= controls.plan.options.score_threshold.value_or(0), "a threshold holds");
    last = score;
  }
}

std::vector<double> logits_for(std::size_t count) {
  std::vector<double> logits;
  for (std::size_t i = 0; i < count; ++i) logits.push_back(static_cast<double>((i * 7 + 3) % 5) * 10 - 20);
  return logits;
}

void rerank(std::string_view body, const Controls& controls) {
  const std::vector<ResultReading> readings(
      controls.results, {.layout = controls.layout, .fields = &fields(), .top_k = controls.plan.top_k});
  auto answer = extract(std::string(body), controls.batch, readings);
  if (!answer) {
    must(!answer.error().why.empty() && answer.error().body == body, "an unread answer is given back");
    return;
  }
  must(answer->sets.size() == controls.results, "a result for each search");
  const auto reread = parse_reread(std::string(body));
  if (controls.plan.projection.needs_reread() && !reread) return;

  std::vector<Page> pages;
  std::vector<Page> own_pages;
  for (const auto& set : answer->sets) {
    const auto scorables = scorable(set, controls.plan.top_k);
    must(scorables.size() <= controls.plan.top_k, "no more than top_k are scored");
    const auto judged = judge(set, controls.plan.top_k, logits_for(scorables.size()));
    pages.push_back(reranked_page(set, judged, controls.plan));
    own_pages.push_back(own_page(set, controls.plan));
  }
  std::vector<ResultPart> parts;
  std::vector<ResultPart> own_parts;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    const auto part = [&](const Page& page, ScoreMode mode) {
      return ResultPart{.as_it_is = {},
                        .set = &answer->sets[i],
                        .page = &page,
                        .projection = &controls.plan.projection,
                        .reread = reread ? &*reread : nullptr,
                        .mode = mode};
    };
    parts.push_back(part(pages[i], ScoreMode::reranked));
    own_parts.push_back(part(own_pages[i], ScoreMode::own));
  }
  Report report;
  report.used = true;
  report.model = "m";
  const std::string reranked = compose(*answer, parts, report);
  Report fallback;
  fallback.reason = "timeout";
  const std::string fallen_back = compose(*answer, own_parts, fallback);

  const auto before = dom_of(body);
  if (!before) return;  // what is skipped over is not checked, so neither is what comes out
  auto after = dom_of(reranked);
  auto own = dom_of(fallen_back);
  must(after && own, "a JSON text stays one, and no member comes twice");
  must(after->at("reranking_used") == true && own->at("reranking_used") == false,
       "an answer says what was done");
  if (!controls.plan.projection.needs_reread()) {
    for (std::size_t i = 0; i < pages.size(); ++i) {
      compare_result(result_at(*before, controls.batch, i), result_at(*after, controls.batch, i), controls);
    }
  }
  Json envelope = *before;
  for (Json* one : {&envelope, &*after, &*own}) {
    erase_ours(*one);
    one->erase("result");
  }
  must(envelope == *after && envelope == *own, "around the result nothing changes");
}

void annotated(std::string_view body) {
  Report report;
  report.reason = "timeout";
  const auto result = annotate(std::string(body), report);
  const auto before = dom_of(body);
  if (!before) return;
  must(result.has_value() == before->is_object(), "an object can be annotated, nothing else");
  if (!result) return;
  auto after = dom_of(*result);
  must(after && after->at("reranking_used") == false && after->at("reranking_reason") == "timeout",
       "the report is in it");
  Json left = *before;
  erase_ours(left);
  erase_ours(*after);
  must(left == *after, "annotating changes nothing else");
}

}  // namespace
}  // namespace qrerank::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qrerank::fuzz;
  if (size < kControls) return 0;
  const std::string_view text = text_of(data, size);
  const Controls controls(text.substr(0, kControls));
  rerank(text.substr(kControls), controls);
  annotated(text.substr(kControls));
  return 0;
}
