// Which model judges a search: the order in which names count. Pure; asking Qdrant for a collection's
// metadata is flow/choose_models' work.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "proxy/config/config.hpp"

namespace qrerank::proxy::selection {

/// What a search and the configuration say of the model.
struct Said {
  const config::Config& config;
  const config::CollectionRule* rule = nullptr;  ///< the collection's, or null
  std::optional<std::string> model;              ///< named: by the search, its rule or `rerank.model`
  std::span<const std::string> documents;        ///< `model` of the search's Documents, in their order
};

/// What the choice rests on.
enum class Basis {
  named,          ///< Said::model
  rule,           ///< the embedding model in the collection's rule
  document,       ///< the first of Said::documents that the mapping knows
  metadata,       ///< the embedding model in the collection's metadata
  default_model,  ///< `rerank.default_model`: nothing led to a configured model
};

struct Choice {
  std::string model;  ///< `mock` or a name under `models`
  Basis basis = Basis::default_model;
  std::string embedding;  ///< the embedding model that counted; also where it led to no configured model
  std::string reranker;   ///< what the mapping gave for it
};

/// The choice, where the collection's metadata has no say; nothing where it has to be asked for. An embedding
/// model in the rule settles it, known to the mapping or not; a Document's only when the mapping knows it
/// (`qdrant/bm25` says nothing about a size).
std::optional<Choice> choose(const Said& said);

/// The choice once the metadata was asked for; nothing was found in it, or it could not be read: the default.
Choice choose_by_metadata(const config::Config& config, const std::optional<std::string>& embedding);

}  // namespace qrerank::proxy::selection
