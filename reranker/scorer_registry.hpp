// All configured scorers behind one: a request goes to whoever knows its model.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "reranker/scorer.hpp"

namespace qrerank::reranker {

/// Owns its scorers and destroys them in the reverse order of `scorers`. Thread-safe. A name that several
/// know belongs to the first; one that none knows completes with `model_unavailable` from within `submit`.
class ScorerRegistry : public Scorer {
 public:
  explicit ScorerRegistry(std::vector<std::unique_ptr<Scorer>> scorers);
  ~ScorerRegistry() override;

  [[nodiscard]] ScoreTicket submit(ScoreRequest request, ScoreCompletion done) override;
  [[nodiscard]] bool knows(const std::string& model) const override;
  [[nodiscard]] std::vector<ModelStatus> status() const override;
  bool load(const std::string& model) override;
  bool unload(const std::string& model) override;

 private:
  [[nodiscard]] Scorer* find(const std::string& model) const;

  std::vector<std::unique_ptr<Scorer>> scorers_;
};

}  // namespace qrerank::reranker
