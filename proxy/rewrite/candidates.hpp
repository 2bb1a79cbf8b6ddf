// An answer of Qdrant to one widened search, taken apart into slices of its own bytes: envelope, points,
// their members, ids, scores, payloads, and each point's text. Nothing is re-serialised; payloads are not
// copied. Ordering lives in order.hpp, printing in projection.hpp and response.hpp.
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

/// One point of the answer. Views are into the owning CandidateSet's body.
struct Candidate {
  std::string_view point;  ///< the whole object
  std::string_view id;     ///< a number's or a string's token as spelled, a string with its quotes
  std::string_view score;  ///< Qdrant's text; "null" is possible, empty when the member is absent
  std::optional<double> vector_score;  ///< none: null, absent or beyond a double
  std::string_view payload;            ///< the object; empty when absent or null
  std::string text;                    ///< what the model judges, valid UTF-8; empty: nothing to judge
  std::uint32_t first_member = 0;      ///< into CandidateSet::members
  std::uint32_t member_count = 0;

  [[nodiscard]] bool has_text() const { return !text.empty(); }
};

/// The answer around the hits.
struct Envelope {
  std::string_view head;         ///< from the first byte up to and with the `[` of the hits
  std::string_view tail;         ///< from the `]` of the hits up to the last `}`, without it
  std::vector<Member> members;   ///< of the whole answer, in order
  std::string_view result_head;  ///< of the `result` member's value: up to and with the `[`
  std::string_view result_tail;  ///< from the `]` to its end
};

/// An answer taken apart. Owns the bytes that all views point into; may be moved, not copied.
struct CandidateSet {
  std::unique_ptr<const std::string> body;
  HitLayout layout = HitLayout::list;
  Envelope envelope;
  std::vector<Candidate> candidates;  ///< in Qdrant's order
  std::vector<Member> members;        ///< of all candidates, one after the other
  /// The first text path that named an object (they have no text), for a log line; empty when none did.
  std::string object_path;

  [[nodiscard]] std::span<const Member> members_of(const Candidate& candidate) const {
    return std::span(members).subspan(candidate.first_member, candidate.member_count);
  }
};

/// An answer that could not be taken apart.
struct Unreadable {
  std::string why;   ///< what was unexpected; never content
  std::string body;  ///< the answer's bytes, given back
};

/// Takes a complete 200 answer (identity coding) apart. Texts are read for the first `top_k` points only. Of
/// the values that a path names, strings give their text, numbers their spelling, arrays those of their
/// strings and numbers; objects, booleans, null and arrays inside arrays give nothing. White space around
/// members is not kept.
///
/// Unexpected are: not JSON, no `result`, no hits where `layout` expects
/// them, a hit that is no object, lacks an id or names a member twice, a score that is neither number nor
/// null. Inside payloads only what is read is checked; the rest moves as it came.
///
/// HitLayout::groups is refused here (not built yet).
tl::expected<CandidateSet, Unreadable> extract(std::string body, HitLayout layout, const TextFields& fields,
                                               std::uint64_t top_k);

/// The same by plan: its layout, fields and top_k.
tl::expected<CandidateSet, Unreadable> extract(std::string body, const SearchPlan& plan);

}  // namespace qrerank::proxy::rewrite
