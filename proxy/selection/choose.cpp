#include "proxy/selection/choose.hpp"

#include <utility>

#include "proxy/selection/mapping.hpp"

namespace qrerank::proxy::selection {
namespace {

Choice by_default(const config::Config& config, std::string embedding, std::string reranker) {
  return {config.rerank.default_model, Basis::default_model, std::move(embedding), std::move(reranker)};
}

Choice by_embedding(const config::Config& config, const std::string& embedding, Basis basis) {
  auto reranker = mapped_reranker(config, embedding).value_or("");
  auto model = configured_model(config, reranker);
  if (!model) {
    return by_default(config, embedding, std::move(reranker));
  }
  return {*std::move(model), basis, embedding, std::move(reranker)};
}

}  // namespace

std::optional<Choice> choose(const Said& said) {
  if (said.model) {
    return Choice{*said.model, Basis::named, "", ""};
  }
  if (said.rule != nullptr && !said.rule->embedding_model.empty()) {
    return by_embedding(said.config, said.rule->embedding_model, Basis::rule);
  }
  for (const auto& embedding : said.documents) {
    if (mapped_reranker(said.config, embedding)) {
      return by_embedding(said.config, embedding, Basis::document);
    }
  }
  if (said.config.selection.metadata_ttl.count() == 0 || !leads_anywhere(said.config)) {
    return by_default(said.config, "", "");
  }
  return std::nullopt;
}

Choice choose_by_metadata(const config::Config& config, const std::optional<std::string>& embedding) {
  return embedding ? by_embedding(config, *embedding, Basis::metadata) : by_default(config, "", "");
}

}  // namespace qrerank::proxy::selection
