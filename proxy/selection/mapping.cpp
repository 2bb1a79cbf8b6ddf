#include "proxy/selection/mapping.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

namespace qrerank::proxy::selection {
namespace {

constexpr std::string_view kQwen06 = "Qwen/Qwen3-Reranker-0.6B";
constexpr std::string_view kQwen4 = "Qwen/Qwen3-Reranker-4B";
constexpr std::string_view kQwen8 = "Qwen/Qwen3-Reranker-8B";
constexpr std::string_view kBgeBase = "BAAI/bge-reranker-base";    // English and Chinese
constexpr std::string_view kBgeLarge = "BAAI/bge-reranker-large";  // English and Chinese
constexpr std::string_view kBgeMultilingual = "BAAI/bge-reranker-v2-m3";
constexpr std::string_view kMiniLm6 = "cross-encoder/ms-marco-MiniLM-L6-v2";    // English
constexpr std::string_view kMiniLm12 = "cross-encoder/ms-marco-MiniLM-L12-v2";  // English
constexpr std::string_view kMiniLmMultilingual = "cross-encoder/mmarco-mMiniLMv2-L12-H384-v1";

// Narrow patterns before wide ones. Folded spelling.
constexpr std::array kTable = {
    MappingRow{"qwen3-embedding-0.6b*", kQwen06},
    MappingRow{"qwen3-embedding-4b*", kQwen4},
    MappingRow{"qwen3-embedding-8b*", kQwen8},

    MappingRow{"bge-m3*", kBgeMultilingual},
    MappingRow{"bge-multilingual-*", kBgeMultilingual},
    MappingRow{"bge-small-*", kBgeBase},
    MappingRow{"bge-base-*", kBgeBase},
    MappingRow{"bge-large-*", kBgeLarge},

    MappingRow{"paraphrase-multilingual-minilm-*", kMiniLmMultilingual},
    MappingRow{"*-minilm-l12*", kMiniLm12},
    MappingRow{"all-minilm-33m*", kMiniLm12},
    MappingRow{"*-minilm-l6*", kMiniLm6},
    MappingRow{"*-minilm-l3*", kMiniLm6},
    MappingRow{"all-minilm*", kMiniLm6},

    MappingRow{"multilingual-e5-small*", kMiniLmMultilingual},
    MappingRow{"multilingual-e5-*", kBgeMultilingual},
    MappingRow{"e5-small*", kMiniLm12},
    MappingRow{"e5-base*", kBgeBase},
    MappingRow{"e5-large*", kBgeLarge},

    MappingRow{"paraphrase-multilingual-mpnet-*", kBgeMultilingual},
    MappingRow{"distiluse-base-multilingual-*", kBgeMultilingual},
    MappingRow{"labse*", kBgeMultilingual},
    MappingRow{"gte-multilingual-*", kBgeMultilingual},
    MappingRow{"snowflake-arctic-embed-*-v2*", kBgeMultilingual},
    MappingRow{"snowflake-arctic-embed2*", kBgeMultilingual},
    MappingRow{"jina-embeddings-v3*", kBgeMultilingual},
    MappingRow{"nomic-embed-text-v2*", kBgeMultilingual},
    MappingRow{"embeddinggemma-*", kBgeMultilingual},
    MappingRow{"embed-multilingual-*", kBgeMultilingual},
    MappingRow{"text-embedding-3-*", kBgeMultilingual},
    MappingRow{"text-embedding-ada-002*", kBgeMultilingual},
};

// The spelling in which names are compared.
std::string folded(std::string_view name) {
  std::string text(name);
  std::ranges::transform(text, text.begin(), [](char c) {
    if (c == '_' || c == ':') return '-';
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  constexpr std::string_view kLayers = "minilm-l-";  // the hub renamed MiniLM-L-6 to MiniLM-L6
  for (auto at = text.find(kLayers); at != std::string::npos; at = text.find(kLayers, at)) {
    text.erase(at + kLayers.size() - 1, 1);
  }
  return text;
}

std::string_view last_part(std::string_view name) {
  const auto slash = name.rfind('/');
  return slash == std::string_view::npos ? name : name.substr(slash + 1);
}

// Both folded.
bool fits(std::string_view pattern, std::string_view name) {
  return config::glob_matches(pattern, pattern.find('/') == std::string_view::npos ? last_part(name) : name);
}

// As it was said, then what else the model under `inference.models` is called that is meant by it. Folded.
std::vector<std::string> names_of(const config::Config& config, std::string_view said) {
  std::vector<std::string> names = {folded(said)};
  if (const auto* model = config::find_embedding_model(config, said)) {
    names.push_back(folded(model->hub));
    names.push_back(folded(model->name));
    std::ranges::transform(model->names, std::back_inserter(names), folded);
  }
  return names;
}

}  // namespace

std::span<const MappingRow> built_in_mapping() {
  return kTable;
}

std::optional<std::string> mapped_reranker(const config::Config& config, std::string_view embedding) {
  const auto names = names_of(config, embedding);
  for (const auto& name : names) {
    for (const auto& mapped : config.model_mapping) {
      if (fits(folded(mapped.embedding), name)) return mapped.reranker;
    }
  }
  for (const auto& name : names) {
    const auto row =
        std::ranges::find_if(kTable, [&](const MappingRow& r) { return fits(r.embedding, name); });
    if (row != kTable.end()) return std::string(row->reranker);
  }
  return std::nullopt;
}

std::optional<std::string> configured_model(const config::Config& config, std::string_view reranker) {
  const std::string wanted = folded(reranker);
  if (wanted.empty()) {
    return std::nullopt;  // models may have an empty hub name
  }
  if (wanted == "mock") {
    return wanted;
  }
  const auto by = [&](const auto& is_it) -> std::optional<std::string> {
    const auto found = std::ranges::find_if(config.models, is_it);
    return found == config.models.end() ? std::nullopt : std::optional(found->name);
  };
  if (auto model = by([&](const config::Model& m) { return folded(m.name) == wanted; })) {
    return model;
  }
  if (auto model = by([&](const config::Model& m) { return folded(m.hub) == wanted; })) {
    return model;
  }
  return by([&](const config::Model& m) { return folded(m.name) == last_part(wanted); });
}

bool leads_anywhere(const config::Config& config) {
  if (!config.model_mapping.empty()) {
    return true;  // its targets are checked when the configuration is read
  }
  return !config.models.empty() && std::ranges::any_of(kTable, [&](const MappingRow& row) {
    return configured_model(config, row.reranker).has_value();
  });
}

}  // namespace qrerank::proxy::selection
