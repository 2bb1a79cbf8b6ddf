// Vectors of texts: those that are kept, the others by way of a scorer's request, whose rows they are.
#include <algorithm>

#include "reranker/manager/manager_core.hpp"

namespace qrerank::reranker::manager {
namespace {

// What is asked, until it is answered.
struct Asked {
  std::string model;
  std::vector<std::string> texts;
  std::vector<std::vector<float>> vectors;  // one per text; empty: unknown
  std::vector<std::size_t> unknown;
};

std::vector<ScoreKey> keys_of(const Asked& asked, const std::string& recipe) {
  ScoreKeyMaker maker(asked.model, recipe, "", "");
  std::vector<ScoreKey> keys;
  for (const std::string& text : asked.texts) {
    keys.push_back(maker.key(text));
  }
  return keys;
}

// Row by row into the places that were unknown.
void take_rows(Asked& asked, const std::vector<double>& rows) {
  const std::size_t width = rows.size() / asked.unknown.size();
  for (std::size_t i = 0; i < asked.unknown.size(); ++i) {
    const auto row = std::span(rows).subspan(i * width, width);
    std::ranges::transform(row, std::back_inserter(asked.vectors[asked.unknown[i]]),
                           [](double value) { return static_cast<float>(value); });
  }
}

}  // namespace

// Of the model as it is in memory; empty when it is not.
std::string ModelManager::Core::recipe_of(const std::string& model) const {
  const std::lock_guard lock(mutex_);
  const auto known = places_.find(model);
  const bool loaded = known != places_.end() && known->second->engine != nullptr;
  return loaded ? known->second->engine->info().recipe_version : std::string();
}

ScoreTicket ModelManager::Core::embed(EmbedRequest request, EmbedCompletion done) {
  const auto asked = std::make_shared<Asked>();
  asked->model = std::move(request.model);
  asked->texts = std::move(request.texts);
  asked->vectors.resize(asked->texts.size());
  // Where it must be loaded first nobody knows yet what it will be.
  if (const auto recipe = recipe_of(asked->model); !recipe.empty()) {
    const auto keys = keys_of(*asked, recipe);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      asked->vectors[i] = vectors_.find(keys[i]).value_or(std::vector<float>());
    }
  }
  ScoreRequest scoring;
  scoring.model = asked->model;
  scoring.deadline = request.deadline;
  for (std::size_t i = 0; i < asked->texts.size(); ++i) {
    if (asked->vectors[i].empty()) {
      asked->unknown.push_back(i);
      scoring.texts.push_back(asked->texts[i]);
    }
  }
  if (asked->unknown.empty()) {
    done(Embeddings{.vectors = std::move(asked->vectors), .timings = {}, .cached = asked->texts.size()});
    return {};
  }
  auto rows_came = [weak = weak_from_this(), asked, done = std::move(done)](ScoreResult result) {
    if (!result) {
      done(tl::make_unexpected(std::move(result.error())));
      return;
    }
    take_rows(*asked, result->logits);
    if (const auto core = weak.lock()) {
      const auto keys = keys_of(*asked, result->recipe);
      for (const std::size_t i : asked->unknown) {
        core->vectors_.insert(keys[i], asked->vectors[i]);
      }
    }
    done(Embeddings{.vectors = std::move(asked->vectors),
                    .timings = result->timings,
                    .cached = asked->texts.size() - asked->unknown.size(),
                    .tokens = result->tokens});
  };
  return submit(ModelKind::embedding, std::move(scoring), std::move(rows_came));
}

}  // namespace qrerank::reranker::manager
