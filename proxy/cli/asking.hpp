// What the commands that load a model and ask it have in common.
#pragma once

#include <string>

#include "reranker/scorer.hpp"

namespace qrerank::proxy::cli {

/// What is wrong with this value of --model; empty when the model is configured.
std::string model_problem(const reranker::Scorer& scorer, const std::string& model);

/// Submits, and waits however long it takes.
reranker::ScoreResult score(reranker::Scorer& scorer, reranker::ScoreRequest request);

/// "minilm: out_of_memory: …".
std::string told(const std::string& model, const reranker::ScoreError& error);

}  // namespace qrerank::proxy::cli
