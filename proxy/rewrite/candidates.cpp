#include "proxy/rewrite/candidates.hpp"

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

class Extractor {
 public:
  Extractor(CandidateSet& set, const TextFields& fields, std::uint64_t top_k)
      : set_(set), text_(fields), top_k_(top_k) {}

  Done run() {
    const std::string& body = *set_.body;
    end_ = body.data() + body.capacity();
    ondemand::parser parser;
    Done walked =
        for_root_members(body, parser, document_,
                         [&](std::string_view key, ondemand::value& value) { return top(key, value); });
    if (!walked) {
      return walked;
    }
    if (!hits_) {
      return fail("the answer has no `result`");
    }
    set_.object_path = text_.object_path();
    Envelope& envelope = set_.envelope;
    const std::string_view whole = trimmed_end(body);
    envelope.tail = {envelope.tail.data(),
                     static_cast<std::size_t>(whole.data() + whole.size() - 1 - envelope.tail.data())};
    return {};
  }

 private:
  Done top(std::string_view key, ondemand::value& value) {
    Member member{.kind = Member::Kind::other, .key = key, .value = {}};
    if (key == R"("result")") {
      if (hits_) {
        return fail("the answer has two `result`s");
      }
      member.kind = Member::Kind::result;
      const char* const begin = value.raw_json_token().data();
      Done done = set_.layout == HitLayout::list ? hits(begin, value) : points(begin, value);
      if (!done) {
        return done;
      }
    } else {
      member.kind = is_ours(key) ? Member::Kind::ours : Member::Kind::other;
      const auto slice = slice_of(value);
      if (!slice) {
        return fail(slice.error());
      }
      member.value = *slice;
    }
    set_.envelope.members.push_back(member);
    return {};
  }

  Done points(const char* result, ondemand::value& value) {
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) {
      return fail("`result` is no object");
    }
    Done walked = for_members(object, [&](std::string_view key, ondemand::value& member) -> Done {
      if (key != R"("points")") {
        return {};
      }
      return hits_ ? fail("the answer has two `points`") : hits(result, member);
    });
    if (!walked) {
      return walked;
    }
    if (!hits_) {
      return fail("`result` has no `points`");
    }
    const auto whole = walked_from(result, document_, '}');
    if (!whole) {
      return fail(whole.error());
    }
    set_.envelope.result_tail = {
        set_.envelope.tail.data(),
        static_cast<std::size_t>(whole->data() + whole->size() - set_.envelope.tail.data())};
    return {};
  }

  /// `result` is where the `result` member's value begins.
  Done hits(const char* result, ondemand::value& value) {
    const char* const begin = value.raw_json_token().data();
    ondemand::array array;
    if (value.get_array().get(array) != simdjson::SUCCESS) {
      return fail("the hits are no array");
    }
    hits_ = true;
    Done walked = for_elements(array, [&](ondemand::value& element) { return hit(element); });
    if (!walked) {
      return walked;
    }
    const auto whole = walked_from(begin, document_, ']');
    if (!whole) {
      return fail(whole.error());
    }
    Envelope& envelope = set_.envelope;
    const std::string& body = *set_.body;
    envelope.head = {body.data(), static_cast<std::size_t>(begin + 1 - body.data())};
    envelope.result_head = {result, static_cast<std::size_t>(begin + 1 - result)};
    envelope.tail = envelope.result_tail = whole->substr(whole->size() - 1);
    return {};
  }

  Done hit(ondemand::value& value) {
    const char* const begin = value.raw_json_token().data();
    ondemand::object object;
    if (value.get_object().get(object) != simdjson::SUCCESS) {
      return fail("a hit is no object");
    }
    Candidate& candidate = set_.candidates.emplace_back();
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
    return {};
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
    if (set_.candidates.size() > top_k_) {
      auto slice = slice_of(value);
      candidate.payload = slice.value_or(std::string_view());
      return slice;
    }
    const char* const begin = value.raw_json_token().data();
    ondemand::object object;
    if (const auto code = value.get_object().get(object); code != simdjson::SUCCESS) {
      return fail(code);
    }
    if (Done read = text_.read(object, end_, candidate.text); !read) {
      return fail(read.error());
    }
    auto slice = walked_from(begin, document_, '}');
    candidate.payload = slice.value_or(std::string_view());
    return slice;
  }

  CandidateSet& set_;
  TextReader text_;
  std::uint64_t top_k_;
  ondemand::document document_;
  const char* end_ = nullptr;  ///< of the buffer's readable bytes
  bool hits_ = false;          ///< the array of hits was found
};

}  // namespace

tl::expected<CandidateSet, Unreadable> extract(std::string body, HitLayout layout, const TextFields& fields,
                                               std::uint64_t top_k) {
  if (layout == HitLayout::groups) {
    return tl::unexpected(Unreadable{"answers in groups are not taken apart", std::move(body)});
  }
  pad(body);
  auto bytes = std::make_unique<std::string>(std::move(body));
  std::string& given = *bytes;
  CandidateSet set;
  set.layout = layout;
  set.body = std::move(bytes);
  if (Done done = Extractor(set, fields, top_k).run(); !done) {
    return tl::unexpected(Unreadable{std::move(done.error()), std::move(given)});
  }
  return set;
}

tl::expected<CandidateSet, Unreadable> extract(std::string body, const SearchPlan& plan) {
  auto fields = TextFields::parse(plan.fields, plan.first_non_empty);
  if (!fields) {
    return tl::unexpected(Unreadable{std::move(fields.error()), std::move(body)});
  }
  return extract(std::move(body), plan.layout, *fields, plan.top_k);
}

}  // namespace qrerank::proxy::rewrite
