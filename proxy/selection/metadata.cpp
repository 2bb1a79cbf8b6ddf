#include "proxy/selection/metadata.hpp"

#include "proxy/rewrite/json_spans.hpp"

namespace qrerank::proxy::selection {

using rewrite::JsonKind;
using rewrite::JsonValue;

tl::expected<std::optional<std::string>, std::string> embedding_model_in(std::string_view body,
                                                                         std::string_view key) {
  const auto tree = rewrite::JsonTree::parse(body);
  if (!tree) {
    return tl::unexpected("not JSON: " + tree.error());
  }
  const auto result = tree->root().find("result");
  const auto config = result ? result->find("config") : std::nullopt;
  if (!config) {
    return tl::unexpected(std::string("no result.config in it"));
  }
  const auto metadata = config->find("metadata");
  const auto named = metadata ? metadata->find(key) : std::nullopt;
  if (!named || !named->is(JsonKind::string)) {
    return std::nullopt;
  }
  std::string name = named->text();
  if (name.empty() || name.size() > kMaxEmbeddingName) {
    return std::nullopt;
  }
  return name;
}

}  // namespace qrerank::proxy::selection
