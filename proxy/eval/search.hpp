// One search of an evaluation: its body, and what its answer says. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "proxy/eval/metrics.hpp"
#include "proxy/eval/queries.hpp"

namespace qrerank::proxy::eval {

/// One way to rerank.
struct Setting {
  std::string model;  ///< empty: the proxy's own choice
  unsigned top_k = 50;
  double weight = 1;
  bool operator==(const Setting&) const = default;
};

/// What all searches of a run share.
struct Target {
  std::string collection;
  std::string using_vector;  ///< `using`; empty: the collection's only vector
  std::string id_field;      ///< payload path of the corpus id; empty: the point's own id
  std::string instruction;   ///< `rerank_instruction`; empty: the model's own
};

/// Without a setting the flag is false, so that no rule of the collection reranks. `judged_text` is what the
/// hits are judged against. Other than in everyday use it may take a minute (the longest there is) to score.
[[nodiscard]] std::string search_body(const Target& target, const Query& query, std::size_t limit,
                                      const std::optional<Setting>& setting, const std::string& judged_text);

/// What came back.
struct Answer {
  Ranking ranking;         ///< corpus ids, a later point of the same document left out
  std::size_t points = 0;  ///< before that
  bool reranked = false;
  std::string reason;          ///< why not
  std::string model;           ///< who judged
  double reranking_ms = 0;     ///< tokenize, queue and compute
  std::size_t candidates = 0;  ///< that were judged
};

/// The error tells what is wrong with the answer: not JSON, or no id at `id_field` in some point.
[[nodiscard]] tl::expected<Answer, std::string> read_answer(std::string_view body,
                                                            const std::string& id_field);

/// What an error says, in Qdrant's shape or as it is, at most a line.
[[nodiscard]] std::string read_error(std::string_view body);

}  // namespace qrerank::proxy::eval
