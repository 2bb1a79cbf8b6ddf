#include "proxy/cli/asking.hpp"

#include <fmt/format.h>

#include <future>
#include <memory>
#include <utility>

namespace qrerank::proxy::cli {

std::string model_problem(const reranker::Scorer& scorer, const std::string& model) {
  if (scorer.knows(model)) return "";
  std::string names;
  for (const auto& status : scorer.status()) names += (names.empty() ? "" : ", ") + status.name;
  return "--model " + model + " is not configured; there are " + names;
}

reranker::ScoreResult score(reranker::Scorer& scorer, reranker::ScoreRequest request) {
  // Shared: the scorer's thread may still be inside set_value when the result is here.
  const auto promise = std::make_shared<std::promise<reranker::ScoreResult>>();
  auto result = promise->get_future();
  const auto ticket = scorer.submit(
      std::move(request), [promise](reranker::ScoreResult scored) { promise->set_value(std::move(scored)); });
  return result.get();
}

std::string told(const std::string& model, const reranker::ScoreError& error) {
  return fmt::format("{}: {}{}{}", model, reranker::to_string(error.failure),
                     error.message.empty() ? "" : ": ", error.message);
}

}  // namespace qrerank::proxy::cli
