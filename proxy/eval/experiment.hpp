// Runs all searches of an evaluation, one at a time on one connection, and keeps what came. What it means is
// analysis.hpp's work.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/eval/proxy_client.hpp"
#include "proxy/eval/queries.hpp"
#include "proxy/eval/search.hpp"

namespace qrerank::proxy::eval {

struct Plan {
  Target target;
  std::vector<std::string> models;   ///< an empty name: the proxy's own choice
  std::vector<unsigned> top_k;       ///< ascending, each once
  std::vector<double> weights;       ///< ascending, each once
  std::size_t latency_queries = 30;  ///< so many searches for each model and top_k are timed; 0: none
};

/// One setting's answers.
struct Trial {
  Setting setting;                ///< the model as the answers called it
  std::vector<Ranking> rankings;  ///< one per query
  std::size_t candidates = 0;     ///< judged, of all queries together
  std::size_t not_reranked = 0;   ///< queries whose hits have no text, or that found nothing
};

/// Searches with texts that were never scored before: no score came from the cache.
struct Timing {
  std::string model;  ///< empty: without reranking
  unsigned top_k = 0;
  std::vector<double> wall_ms;
  std::vector<double> reranking_ms;  ///< of them tokenize, queue and compute
};

struct Measured {
  std::vector<Ranking> vector_order;  ///< one per query, as deep as the largest top_k
  std::vector<Trial> trials;          ///< models, in them top_k, in them weights, in the plan's order
  std::vector<Timing> timings;        ///< the first is without reranking; none when none were asked for
};

/// Where a run is; `done` of `total` searches.
struct Progress {
  std::string step;
  std::size_t done = 0;
  std::size_t total = 0;
};

class Experiment {
 public:
  using Tell = std::function<void(const Progress&)>;

  /// All outlive the experiment.
  Experiment(const Plan& plan, const QuerySet& queries, ProxyClient& client, const Tell& tell);

  /// The error is a sentence for standard error. An answer that fell back for a passing reason (overloaded,
  /// the model still loading) is asked again for a while.
  tl::expected<Measured, std::string> run();

 private:
  using Found = tl::expected<Answer, std::string>;
  using Done = tl::expected<void, std::string>;

  Done rank_by_vector();
  Done rank_by_model(const std::string& model);
  Done time_model(const std::string& model);
  Found ask(const Query& query, std::size_t limit, const std::optional<Setting>& setting,
            const std::string& judged_text, double* wall_ms = nullptr);
  void step(std::string what);

  const Plan& plan_;
  const QuerySet& queries_;
  ProxyClient& client_;
  const Tell& tell_;
  Measured measured_;
  Progress progress_;
};

}  // namespace qrerank::proxy::eval
