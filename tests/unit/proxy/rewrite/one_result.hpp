// Answers to a single search, taken apart and put together again: what the tests of the response side share.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

#include "proxy/rewrite/response.hpp"

namespace qrerank::proxy::rewrite {

inline tl::expected<Answer, Unreadable> extract_one(std::string body, HitLayout layout,
                                                    const TextFields& fields, std::uint64_t top_k) {
  const std::vector<ResultReading> readings = {{.layout = layout, .fields = &fields, .top_k = top_k}};
  return extract(std::move(body), false, readings);
}

inline std::string compose_one(const Answer& answer, const Page& page, const Projection& projection,
                               const Reread* reread, const Report& report, ScoreMode mode) {
  const std::vector<ResultPart> parts = {{.as_it_is = {},
                                          .set = &answer.sets.front(),
                                          .page = &page,
                                          .projection = &projection,
                                          .reread = reread,
                                          .mode = mode}};
  return compose(answer, parts, report);
}

inline std::string reranked_one(const Answer& answer, std::vector<Ranked> page, const Projection& projection,
                                const Reread* reread, const Report& report) {
  return compose_one(answer, {.hits = std::move(page), .groups = {}}, projection, reread, report,
                     ScoreMode::reranked);
}

inline std::string own_one(const Answer& answer, std::vector<Ranked> page, const Projection& projection,
                           const Reread* reread, const Report& report) {
  return compose_one(answer, {.hits = std::move(page), .groups = {}}, projection, reread, report,
                     ScoreMode::own);
}

/// What stands before the first hit, and behind the last up to the answer's last brace.
inline std::string before_hits(const Answer& answer) {
  return std::string(answer.head) + std::string(answer.sets.front().head);
}
inline std::string behind_hits(const Answer& answer) {
  return std::string(answer.sets.front().tail) + std::string(answer.tail);
}

}  // namespace qrerank::proxy::rewrite
