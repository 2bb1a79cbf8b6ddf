#include "proxy/rewrite/candidates.hpp"

#include <boost/unordered/unordered_flat_map.hpp>
#include <charconv>
#include <cmath>

#include "proxy/rewrite/candidates_slices.hpp"
#include "proxy/rewrite/candidates_text.hpp"

namespace qrerank::proxy::rewrite {

using namespace slices;  // NOLINT: the room's own words

namespace {

Member::Kind kind_of_point_member(std::string_view key) {
  if (key == R"("id")") {
    return Member::Kind::id;
  }
  if (key == R"("score")") {
    return Member::Kind::score;
  }
  if (key == R"("payload")") {
    return Member::Kind::payload;
  }
  if (key == R"("vector")") {
    return Member::Kind::vector;
  }
  // As with the top level: scores of another qrerank give way to ours.
  if (key == R"("vector_score")" || key == R"("rerank_score")") {
    return Member::Kind::ours;
  }
  return Member::Kind::other;
}

std::optional<double> score_value(std::string_view text) {
  double value = 0;
  const auto [stop, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || stop != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

/// From the first byte of one slice to the last of another behind it.
std::string_view spanning(const char* begin, std::string_view last) {
  return {begin, static_cast<std::size_t>(last.data() + last.size() - begin)};
}

/// Reads one search's result.
class ResultReader {
 public:
  ResultReader(CandidateSet& set, const ResultReading& reading, ondemand::document& document)
      : set_(set), text_(*reading.fields, set.texts), top_k_(reading.top_k), document_(document) {}

  Done read(ondemand::value& value) {
    begin_ = value.raw_json_token().data();
    Done done;
    switch (set_.layout) {
      case HitLayout::list:
        done = list(value, [this](ondemand::value& element) { return hit(element); });
        if (done) {
          set_.whole = spanning(begin_, set_.tail);
        }
        break;
      case HitLayout::points:
        done = inside(value, R"("points")", [this](ondemand::value& element) { return hit(element); });
        break;
      case HitLayout::groups:
        done = inside(value, R"("groups")", [this](ondemand::value& element) { return group(element); });
        break;
    }
    set_.object_path = text_.object_path();
    return done;
  }

 private:
  /// `{"<key>":[…], …}`
  template <typename Visit>
  Done inside(ondemand::value& value, std::string_view key, Visit&& visit) {
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) {
      return fail("a result is no object");
    }
    bool found = false;
    Done walked = for_members(object, [&](std::string_view name, ondemand::value& member) -> Done {
      if (name != key) {
        return {};
      }
      if (found) {
        return fail("a result has its hits twice");
      }
      found = true;
      return list(member, visit);
    });
    if (!walked) {
      return walked;
    }
    if (!found) {
      return fail("a result has no hits");
    }
    const auto whole = walked_from(begin_, document_, '}');
    if (!whole) {
      return fail(whole.error());
    }
    set_.whole = *whole;
    set_.tail = spanning(set_.tail.data(), whole->substr(whole->size() - 1));
    return {};
  }

  /// Walks the array of hits or groups: its brackets end the set's head and begin its tail.
  template <typename Visit>
  Done list(ondemand::value& value, Visit&& visit) {
    const auto walked = array_of(value, visit);
    if (!walked) {
      return fail(walked.error());
    }
    set_.head = spanning(begin_, walked->substr(0, 1));
    set_.tail = walked->substr(walked->size() - 1);
    return {};
  }

  template <typename Visit>
  tl::expected<std::string_view, std::string> array_of(ondemand::value& value, Visit&& visit) {
    const char* const begin = value.raw_json_token().data();
    ondemand::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) {
      return fail("the hits are no array");
    }
    if (Done walked = for_elements(array, visit); !walked) {
      return tl::unexpected(std::move(walked.error()));
    }
    return walked_from(begin, document_, ']');
  }

  Done group(ondemand::value& value) {
    const char* const begin = value.raw_json_token().data();
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) {
      return fail("a group is no object");
    }
    const auto first_hit = static_cast<std::uint32_t>(set_.candidates.size());
    std::string_view hits;
    Done walked = for_members(object, [&](std::string_view name, ondemand::value& member) -> Done {
      if (name != R"("hits")") {
        return {};
      }
      if (!hits.empty()) {
        return fail("a group has its hits twice");
      }
      const auto array = array_of(member, [this](ondemand::value& element) { return hit(element); });
      hits = array.value_or(std::string_view());
      return array ? Done() : fail(array.error());
    });
    if (!walked) {
      return walked;
    }
    if (hits.empty()) {
      return fail("a group has no hits");
    }
    const auto whole = walked_from(begin, document_, '}');
    if (!whole) {
      return fail(whole.error());
    }
    set_.groups.push_back({.head = spanning(begin, hits.substr(0, 1)),
                           .tail = spanning(hits.data() + hits.size() - 1, whole->substr(whole->size() - 1)),
                           .first_hit = first_hit,
                           .hit_count = static_cast<std::uint32_t>(set_.candidates.size()) - first_hit});
    return {};
  }

  Done hit(ondemand::value& value) {
    const char* const begin = value.raw_json_token().data();
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) {
      return fail("a hit is no object");
    }
    const auto index = static_cast<std::uint32_t>(set_.candidates.size());
    Candidate& candidate = set_.candidates.emplace_back();
    candidate.first = index;
    candidate.place = points_;
    candidate.first_member = static_cast<std::uint32_t>(set_.members.size());
    unsigned seen = 0;
    Done walked = for_members(object, [&](std::string_view key, ondemand::value& member) -> Done {
      const Member::Kind kind = kind_of_point_member(key);
      const unsigned bit = 1U << static_cast<unsigned>(kind);
      if (kind != Member::Kind::other && kind != Member::Kind::ours && (seen & bit) != 0) {
        return fail("a hit names a member twice");
      }
      seen |= bit;
      const auto slice = kind == Member::Kind::payload ? payload(candidate, member) : slice_of(member);
      if (!slice) {
        return fail(slice.error());
      }
      set_.members.push_back({.kind = kind, .key = key, .value = *slice});
      return known(candidate, kind, *slice);
    });
    if (!walked) {
      return walked;
    }
    if (candidate.id.empty()) {
      return fail("a hit has no `id`");
    }
    candidate.member_count = static_cast<std::uint32_t>(set_.members.size()) - candidate.first_member;
    const auto whole = walked_from(begin, document_, '}');
    if (!whole) {
      return fail(whole.error());
    }
    candidate.point = *whole;
    if (set_.layout == HitLayout::groups) {
      recognise(candidate, index);
    } else {
      ++points_;
    }
    return {};
  }

  /// A point in several groups is one point.
  void recognise(Candidate& candidate, std::uint32_t index) {
    const auto [known, is_new] = by_id_.try_emplace(candidate.id, index);
    if (is_new) {
      ++points_;
      return;
    }
    const Candidate& first = set_.candidates[known->second];
    candidate.first = known->second;
    candidate.place = first.place;
    candidate.text = first.text;
  }

  Done known(Candidate& candidate, Member::Kind kind, std::string_view slice) {
    if (kind == Member::Kind::id) {
      if (!is_string(slice) && !is_number(slice)) {
        return fail("an `id` is neither number nor string");
      }
      candidate.id = slice;
    } else if (kind == Member::Kind::score) {
      if (slice != "null" && !is_number(slice)) {
        return fail("a `score` is neither number nor null");
      }
      candidate.score = slice;
      candidate.vector_score = score_value(slice);
    }
    return {};
  }

  tl::expected<std::string_view, std::string> payload(Candidate& candidate, ondemand::value& value) {
    const char first = first_of(value);
    if (first != '{') {
      auto slice = slice_of(value);
      return !slice || *slice == "null" ? slice : fail("a `payload` is no object");
    }
    if (candidate.place >= top_k_) {
      auto slice = slice_of(value);
      candidate.payload = slice.value_or(std::string_view());
      return slice;
    }
    const char* const begin = value.raw_json_token().data();
    ondemand::object object;
    if (const auto code = value.get_object().get(object); code != simdjson::SUCCESS) {
      return fail(code);
    }
    const auto text = text_.read(object, set_.readable_end);
    if (!text) {
      return fail(text.error());
    }
    candidate.text = *text;
    auto slice = walked_from(begin, document_, '}');
    candidate.payload = slice.value_or(std::string_view());
    return slice;
  }

  CandidateSet& set_;
  TextReader text_;
  std::uint64_t top_k_;
  ondemand::document& document_;
  const char* begin_ = nullptr;                                       ///< of the result
  std::uint32_t points_ = 0;                                          ///< different ones so far
  boost::unordered_flat_map<std::string_view, std::uint32_t> by_id_;  ///< groups only
};

class Extractor {
 public:
  Extractor(Answer& answer, std::span<const ResultReading> readings) : answer_(answer), readings_(readings) {}

  Done run() {
    const std::string& body = *answer_.body;
    ondemand::parser parser;
    Done walked =
        for_root_members(body, parser, document_,
                         [&](std::string_view key, ondemand::value& value) { return top(key, value); });
    if (!walked) {
      return walked;
    }
    if (result_.empty()) {
      return fail("the answer has no `result`");
    }
    const std::string_view whole = trimmed_end(body);
    answer_.head = {body.data(), static_cast<std::size_t>(result_.data() - body.data())};
    const char* const behind = result_.data() + result_.size();
    answer_.tail = {behind, static_cast<std::size_t>(whole.data() + whole.size() - 1 - behind)};
    return {};
  }

 private:
  Done top(std::string_view key, ondemand::value& value) {
    Member member{.kind = Member::Kind::other, .key = key, .value = {}};
    if (key == R"("result")") {
      if (!result_.empty()) {
        return fail("the answer has two `result`s");
      }
      member.kind = Member::Kind::result;
      if (Done done = answer_.batch ? results(value) : only_result(value); !done) {
        return done;
      }
      member.value = result_;
    } else {
      member.kind = is_ours(key) ? Member::Kind::ours : Member::Kind::other;
      const auto slice = slice_of(value);
      if (!slice) {
        return fail(slice.error());
      }
      member.value = *slice;
    }
    answer_.members.push_back(member);
    return {};
  }

  Done only_result(ondemand::value& value) {
    Done done = one(value);
    if (done) {
      result_ = answer_.sets.front().whole;
    }
    return done;
  }

  Done results(ondemand::value& value) {
    const char* const begin = value.raw_json_token().data();
    ondemand::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) {
      return fail("`result` is no array");
    }
    if (Done walked = for_elements(array, [&](ondemand::value& element) { return one(element); }); !walked) {
      return walked;
    }
    if (answer_.sets.size() != readings_.size()) {
      return fail("there are fewer results than searches");
    }
    const auto whole = walked_from(begin, document_, ']');
    if (!whole) {
      return fail(whole.error());
    }
    result_ = *whole;
    return {};
  }

  Done one(ondemand::value& value) {
    if (answer_.sets.size() == readings_.size()) {
      return fail("there are more results than searches");
    }
    const ResultReading& reading = readings_[answer_.sets.size()];
    CandidateSet& set = answer_.sets.emplace_back();
    set.layout = reading.layout;
    set.readable_end = answer_.body->data() + answer_.body->capacity();
    if (reading.fields != nullptr) {
      return ResultReader(set, reading, document_).read(value);
    }
    const auto slice = slice_of(value);
    set.whole = slice.value_or(std::string_view());
    return slice ? Done() : fail(slice.error());
  }

  Answer& answer_;
  std::span<const ResultReading> readings_;
  ondemand::document document_;
  std::string_view result_;  ///< the value of `result`; empty: not there yet
};

}  // namespace

tl::expected<Answer, Unreadable> extract(std::string body, bool batch,
                                         std::span<const ResultReading> readings) {
  pad(body);
  Answer answer;
  answer.batch = batch;
  answer.sets.reserve(readings.size());
  auto bytes = std::make_unique<std::string>(std::move(body));
  std::string& given = *bytes;
  answer.body = std::move(bytes);
  if (Done done = Extractor(answer, readings).run(); !done) {
    return tl::unexpected(Unreadable{std::move(done.error()), std::move(given)});
  }
  return answer;
}

tl::expected<Answer, Unreadable> extract(std::string body, const RequestPlan& plan) {
  std::vector<TextFields> fields(plan.searches.size());
  std::vector<ResultReading> readings(plan.searches.size());
  for (std::size_t i = 0; i < readings.size(); ++i) {
    if (const auto* search = std::get_if<SearchPlan>(&plan.searches[i])) {
      auto parsed = TextFields::parse(search->fields, search->first_non_empty);
      if (!parsed) {
        return tl::unexpected(Unreadable{std::move(parsed.error()), std::move(body)});
      }
      fields[i] = std::move(*parsed);
      readings[i] = {.layout = search->layout, .fields = &fields[i], .top_k = search->top_k};
    }
  }
  return extract(std::move(body), plan.batch, readings);
}

tl::expected<Answer, Unreadable> extract_whole(std::string body, bool batch, std::size_t count) {
  const std::vector<ResultReading> readings(count);
  return extract(std::move(body), batch, readings);
}

}  // namespace qrerank::proxy::rewrite
