#include "proxy/config/schema.hpp"

#include "proxy/config/rows.hpp"

namespace qrerank::proxy::config {
namespace {

using Keys = rows::Keys;

// The defaults of most keys are those of the structs.
void fill_default_texts(Keys& keys) {
  Config config;
  CollectionRule rule;
  Model model;
  Instruction instruction;
  MappedModel mapped;
  Relay relay;
  EmbeddingModel embedding;
  const Place place{config, &rule, &model, &instruction, &mapped, &relay, &embedding};
  for (auto& key : keys) {
    const auto given = key.default_text.empty() ? key.get(place) : std::nullopt;
    if (!given) {
      continue;
    }
    key.default_text = given->text;
    for (const auto& item : given->list) {
      key.default_text += (key.default_text.empty() ? "" : ", ") + item;
    }
  }
}

Keys make_schema() {
  Keys keys;
  rows::add_proxy(keys);
  rows::add_admin(keys);
  rows::add_upstream(keys);
  rows::add_relays(keys);
  rows::add_rerank(keys);
  rows::add_collections(keys);
  rows::add_models(keys);
  rows::add_inference(keys);
  rows::add_top_level(keys);
  rows::add_selection(keys);
  rows::add_scoring(keys);
  rows::add_log(keys);
  rows::add_tracing(keys);
  fill_default_texts(keys);
  return keys;
}

}  // namespace

std::string Key::path() const {
  return path_in(scope == Scope::global ? "" : "<name>");
}

std::string Key::path_in(const std::string& entry) const {
  std::string path = section;
  for (const auto& part : {entry, name}) {
    path += (path.empty() || part.empty() ? "" : ".") + part;
  }
  return path;
}

std::span<const Key> schema() {
  static const Keys keys = make_schema();
  return keys;
}

}  // namespace qrerank::proxy::config
