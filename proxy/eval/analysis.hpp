// From answers and judgements to numbers with intervals. Pure; how they are shown is report_*.hpp's work.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proxy/eval/experiment.hpp"
#include "proxy/eval/statistics.hpp"

namespace qrerank::proxy::eval {

/// A mean over the queries.
struct Mean {
  double value = 0;
  Interval interval;  ///< 95 %
};

/// Of one measure, over the queries.
struct QualityMeans {
  Mean ndcg;
  Mean mrr;
  Mean recall;
  Mean success;
};

struct Latency {
  std::size_t searches = 0;
  double p50_ms = 0;
  double p95_ms = 0;
  double p99_ms = 0;
};

/// One setting beside the vector order of the same queries.
struct Row {
  Setting setting;
  std::size_t not_reranked = 0;
  double candidates = 0;         ///< judged by the model, a query
  Mean overlap;                  ///< of the first 10, see Change
  double kendall = 0;            ///< mean
  double first_moved = 0;        ///< share of queries
  std::vector<double> overlaps;  ///< one per query
  // What follows needs judgements.
  QualityMeans quality;
  Mean gain;                    ///< difference of nDCG@10 to vector order, of the same queries
  double p = 1;                 ///< sign_flip_p of it
  double p_holm = 1;            ///< corrected for all settings tried, those of weight 0 aside
  double reachable_recall = 0;  ///< mean share of the relevant ones among the candidates
  std::vector<double> ndcg;     ///< one per query
  std::size_t better = 0;       ///< queries whose nDCG@10 rose
  std::size_t worse = 0;
};

struct ModelLatency {
  std::string model;
  unsigned top_k = 0;
  Latency whole;      ///< as the client sees it
  Latency reranking;  ///< of it tokenize, queue and compute
};

struct Report {
  std::string collection;
  std::string queries_from;  ///< folder
  std::string qrels;         ///< file, or empty
  bool judged = false;
  std::size_t left_out = 0;
  std::uint64_t seed = 0;
  std::vector<Query> queries;
  QualityMeans vector_quality;      ///< with judgements
  std::vector<double> vector_ndcg;  ///< one per query, with judgements
  std::vector<Row> rows;            ///< in the order tried
  std::optional<Latency> vector_latency;
  std::vector<ModelLatency> latencies;
};

/// `measured` is of `set`'s queries.
[[nodiscard]] Report analyse(const Plan& plan, const QuerySet& set, const Measured& measured,
                             std::uint64_t seed);

/// Settings that can differ from vector order: weight 0 is that order.
[[nodiscard]] std::size_t settings_tried(const Report& report);

/// The entry for the row's model and top_k; null where none was timed.
[[nodiscard]] const ModelLatency* latency_of(const Report& report, const Row& row);

/// What reranking adds to the 95th percentile, in milliseconds; nothing where it was not timed.
[[nodiscard]] std::optional<double> added_p95_ms(const Report& report, const Row& row);

}  // namespace qrerank::proxy::eval
