// Qdrant's answer to a widened request, taken apart into slices of its own bytes: envelope, results, points,
// their members, ids, scores, payloads, and each point's text. Nothing is re-serialised; payloads are not
// copied. Ordering lives in order.hpp and group_order.hpp, printing in projection.hpp and response.hpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/rewrite/plan.hpp"
#include "proxy/rewrite/text_arena.hpp"
#include "proxy/rewrite/text_fields.hpp"

namespace qrerank::proxy::rewrite {

/// Bytes of free capacity behind an answer's last byte that spare extract() a copy of it.
inline constexpr std::size_t kAnswerPadding = 64;

/// One member of a JSON object, as spelled.
struct Member {
  enum class Kind { other, id, score, payload, vector, result, ours };
  Kind kind = Kind::other;
  std::string_view key;    ///< with its quotes
  std::string_view value;  ///< without white space around it
};

/// One point of the answer. Views are into the Answer's body, or its set's texts.
struct Candidate {
  std::string_view point;  ///< the whole object
  std::string_view id;     ///< a number's or a string's token as spelled, a string with its quotes
  std::string_view score;  ///< Qdrant's text; "null" is possible, empty when the member is absent
  std::optional<double> vector_score;  ///< none: null, absent or beyond a double
  std::string_view payload;            ///< the object; empty when absent or null
  std::string_view text;               ///< what the model judges, valid UTF-8; empty: nothing to judge
  std::uint32_t first_member = 0;      ///< into CandidateSet::members
  std::uint32_t member_count = 0;
  /// The first candidate that is the same point: itself, but for a point that stands in several groups.
  std::uint32_t first = 0;
  /// Its place among the different points, from 0: what top_k counts.
  std::uint32_t place = 0;

  [[nodiscard]] bool has_text() const { return !text.empty(); }
};

/// One group of a groups answer.
struct Group {
  std::string_view head;        ///< of its object: up to and with the `[` of its hits
  std::string_view tail;        ///< from the `]` to its end: with `id`, `lookup` and what else there is
  std::uint32_t first_hit = 0;  ///< into CandidateSet::candidates
  std::uint32_t hit_count = 0;
};

/// What one search found: one element of a batch's `result`, else `result` itself. May be moved, not copied.
struct CandidateSet {
  HitLayout layout = HitLayout::list;
  std::string_view whole;             ///< the result as it stands
  std::string_view head;              ///< of it: up to and with the `[` of the hits, or of the groups
  std::string_view tail;              ///< from the `]` to its end
  std::vector<Candidate> candidates;  ///< in Qdrant's order, groups one after the other
  std::vector<Group> groups;          ///< HitLayout::groups only
  std::vector<Member> members;        ///< of all candidates, one after the other
  /// The texts that are no slice of the answer: escapes undone, several values joined.
  TextArena texts;
  /// The first text path that named an object (they have no text), for a log line; empty when none did.
  std::string object_path;
  const char* readable_end = nullptr;  ///< where the answer's buffer ends, for parsing slices of it again

  CandidateSet() = default;
  CandidateSet(CandidateSet&&) = default;
  CandidateSet& operator=(CandidateSet&&) = default;

  [[nodiscard]] std::span<const Member> members_of(const Candidate& candidate) const {
    return std::span(members).subspan(candidate.first_member, candidate.member_count);
  }
};

/// An answer taken apart. Owns the bytes that all views point into; may be moved, not copied.
struct Answer {
  std::unique_ptr<const std::string> body;
  std::string_view head;           ///< from the first byte up to the value of `result`
  std::string_view tail;           ///< what follows it, without the last `}`
  std::vector<Member> members;     ///< of the whole answer, in order
  bool batch = false;              ///< the value of `result` is an array of the sets' results
  std::vector<CandidateSet> sets;  ///< one for each search
};

/// An answer that could not be taken apart.
struct Unreadable {
  std::string why;   ///< what was unexpected; never content
  std::string body;  ///< the answer's bytes, given back
};

/// How one search's result is to be read.
struct ResultReading {
  HitLayout layout = HitLayout::list;
  const TextFields* fields = nullptr;  ///< null: the result is left whole (a search that only passes)
  std::uint64_t top_k = 0;             ///< texts are read for so many different points
};

/// Takes a complete 200 answer (identity coding) to `readings.size()` searches apart. Of the values that a
/// text path names, strings give their text, numbers their spelling, arrays those of their strings and
/// numbers; objects, booleans, null and arrays inside arrays give nothing. White space around members is not
/// kept.
///
/// Unexpected are: not JSON, no `result`, another number of results, no hits where the layout expects them, a
/// hit that is no object, lacks an id or names a member twice, a score that is neither number nor null.
/// Inside payloads only what is read is checked; the rest moves as it came.
tl::expected<Answer, Unreadable> extract(std::string body, bool batch,
                                         std::span<const ResultReading> readings);

/// The same by plan: its searches' layouts, fields and top_k.
tl::expected<Answer, Unreadable> extract(std::string body, const RequestPlan& plan);

/// The same of `count` results that are all left whole.
tl::expected<Answer, Unreadable> extract_whole(std::string body, bool batch, std::size_t count);

}  // namespace qrerank::proxy::rewrite
