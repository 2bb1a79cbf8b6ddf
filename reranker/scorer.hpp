// The seam: texts in, scores out. Local models, the mock, fakes and (later) remote services stand behind it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "reranker/types.hpp"

namespace qrerank::reranker {

using ScoreResult = tl::expected<ScoreSet, ScoreError>;

/// Called exactly once per submit, from any thread of the scorer (or from within `submit`, when the answer is
/// known at once). Must be quick and must not throw: it hands the result to whoever waits.
using ScoreCompletion = std::function<void(ScoreResult)>;

/// Move-only right to cancel. Dropping it tells the scorer that nobody waits any more: texts not yet in a
/// batch are skipped, and the completion is called with `cancelled` (or with the result, if that was faster),
/// possibly from within the destructor: drop it without holding a lock that the completion takes. It may
/// outlive the scorer.
class ScoreTicket {
 public:
  ScoreTicket() = default;
  explicit ScoreTicket(std::shared_ptr<void> hold) : hold_(std::move(hold)) {}
  ScoreTicket(ScoreTicket&&) = default;
  ScoreTicket& operator=(ScoreTicket&&) = default;

 private:
  std::shared_ptr<void> hold_;  // its deleter cancels; null when there is nothing to cancel
};

enum class ModelState { unloaded, loading, ready, draining, failed };
std::string_view to_string(ModelState state);

enum class ModelKind {
  reranker,   ///< judges: Scorer::submit
  embedding,  ///< makes vectors: Embedder::embed
};
std::string_view to_string(ModelKind kind);

/// Bytes of a model's files.
struct BytesRead {
  std::uint64_t read = 0;
  std::uint64_t total = 0;  ///< for all its replicas
};

/// One configured model as the outside sees it.
struct ModelStatus {
  std::string name;
  ModelKind kind = ModelKind::reranker;
  ModelState state = ModelState::unloaded;
  std::string detail;                        ///< why it failed, or why it waits for room; or empty
  std::string family;                        ///< "bert", "xlm-roberta", "qwen3", "mock"; empty before loading
  std::string dtype;                         ///< "float32", "bfloat16", …; empty before loading
  std::string device;                        ///< "cpu", "cuda:0", "cuda:0,cuda:1"; empty before loading
  std::size_t bytes = 0;                     ///< weights in memory, of all replicas
  std::size_t replicas = 0;                  ///< in memory
  std::size_t width = 0;                     ///< numbers in a vector that it makes; 0: none, or not known
  std::size_t waiting = 0;                   ///< requests that are not answered yet
  std::optional<std::chrono::seconds> idle;  ///< loaded, and without a request for so long
  std::optional<BytesRead> loading;          ///< while it loads, once it is known how much there is to read
};

class Scorer {
 public:
  virtual ~Scorer() = default;

  /// Never blocks and never throws for what the outside world did. Thread-safe.
  [[nodiscard]] virtual ScoreTicket submit(ScoreRequest request, ScoreCompletion done) = 0;

  /// True when `model` is a configured name (whatever its state).
  [[nodiscard]] virtual bool knows(const std::string& model) const = 0;

  /// All configured models. Thread-safe, does not block on loading.
  [[nodiscard]] virtual std::vector<ModelStatus> status() const = 0;

  /// Orders that are not waited for: into memory, or out of it once its requests are answered. Thread-safe.
  /// False: no such model, or one that is always there.
  virtual bool load(const std::string& /*model*/) { return false; }
  virtual bool unload(const std::string& /*model*/) { return false; }
};

}  // namespace qrerank::reranker
