// The plain values that cross the seam between the proxy and the reranker. No torch, no sockets, no YAML.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace qrerank::reranker {

using Clock = std::chrono::steady_clock;
using Microseconds = std::chrono::microseconds;

/// Where the time of one scoring request went. `queue` is from "all tokens are there" to "the last batch of
/// this request begins" less its own batches computed meanwhile, plus what was waited for the model to load;
/// `compute` the sum of the batches that this request had texts in. So the three add up to the wall time (to
/// more only where replicas compute side by side). Upstream time is the proxy's.
struct Timings {
  Microseconds tokenize{0};
  Microseconds queue{0};
  Microseconds compute{0};
};

/// Why scores are not there. One closed set; the proxy maps it to a reason, a status and a metric label.
enum class ScoreFailure {
  overloaded,         ///< the queue is full: refused at the door, nothing was computed
  timeout,            ///< the deadline passed before the last score was there
  model_unavailable,  ///< unknown, loading failed, or still loading when the deadline came
  out_of_memory,      ///< also after halving the budget once
  backend_error,      ///< a remote backend failed
  cancelled,          ///< the ticket was dropped: nobody waits any more
  internal,           ///< NaN, or a bug that threw; `message` tells
};

/// "overloaded", "timeout", …: for logs.
std::string_view to_string(ScoreFailure failure);

/// One search's work: judge each text against the query. Texts are UTF-8, not empty and not only whitespace
/// (the caller keeps those out); equal texts are scored once by the scorer.
struct ScoreRequest {
  std::string model;        ///< a configured model's name
  std::string instruction;  ///< free text; empty: the model's own default; ignored by models that follow none
  std::string query;
  std::vector<std::string> texts;
  Clock::time_point deadline = Clock::time_point::max();
};

/// The model's judgement of the texts, in their order.
struct ScoreSet {
  std::vector<double> logits;  ///< one per text, finite; the probability is sigmoid(logit)
  Timings timings;
  std::size_t cached = 0;  ///< how many of them came from the score cache
  std::size_t tokens = 0;  ///< tokens computed for this request
  std::string recipe{};    ///< ModelInfo::recipe_version of the model that judged
};

struct ScoreError {
  ScoreFailure failure = ScoreFailure::internal;
  std::string message;  ///< for the log; never holds query or document text
  Timings timings;
};

/// 1 / (1 + e^-x) in double precision, without overflow for any finite x.
double sigmoid(double logit);

/// ln(p / (1 - p)), p clamped to [1e-15, 1 - 1e-15]: for backends that only tell probabilities.
double logit_of(double probability);

}  // namespace qrerank::reranker
