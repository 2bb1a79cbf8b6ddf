// Queries and judgements as people keep them: a folder in BEIR's layout. Reading files; no network.
//   queries.jsonl     {"_id": "1", "text": "…"} a line; also "vector": […] or "point": id where they have one
//   qrels/test.tsv    query-id <tab> corpus-id <tab> score, with that heading
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/eval/metrics.hpp"

namespace qrerank::proxy::eval {

/// One question.
struct Query {
  std::string id;
  std::string text;    ///< what hits are judged against
  std::string search;  ///< JSON: the member `query` of the search; empty until there is one
  Judgements judged;
};

struct QuerySet {
  std::vector<Query> queries;  ///< in the file's order
  bool judged = false;         ///< there are judgements, and each query has a relevant one
  std::size_t left_out = 0;    ///< queries without a relevant document, or beyond the first N
  std::string qrels;           ///< the file of judgements, or empty
};

struct QuerySource {
  std::filesystem::path folder;
  std::optional<std::string> qrels;  ///< "dev" for qrels/dev.tsv; else test, else the only one there
  std::size_t first = 0;             ///< only so many queries; 0: all
  std::optional<std::filesystem::path> vectors;  ///< .npy, a row a line of queries.jsonl; or .jsonl
  std::string document_model;                    ///< Qdrant makes the vectors: Document{text, model}
};

/// The error names file, line and what is wrong there. Every query has a `search` afterwards: of `vectors`,
/// else of `document_model`, else of its own line.
[[nodiscard]] tl::expected<QuerySet, std::string> read_queries(const QuerySource& source);

}  // namespace qrerank::proxy::eval
