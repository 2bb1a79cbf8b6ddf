#include "proxy/admin/compare/collections.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "proxy/admin/compare/search_pair.hpp"

namespace qrerank::proxy::admin::compare {
namespace {

namespace json = boost::json;

// The value at a path of members, or null.
const json::value* at(const json::object& root, std::initializer_list<std::string_view> path) {
  const json::object* object = &root;
  const json::value* found = nullptr;
  for (const auto name : path) {
    found = object == nullptr ? nullptr : object->if_contains(name);
    if (found == nullptr) return nullptr;
    object = found->if_object();
  }
  return found;
}

const json::object* object_at(const json::object& root, std::initializer_list<std::string_view> path) {
  const auto* found = at(root, path);
  return found == nullptr ? nullptr : found->if_object();
}

json::value or_null(const json::value* value) {
  return value == nullptr ? json::value(nullptr) : *value;
}

template <class T>
json::value or_null(const std::optional<T>& value) {
  return value ? json::value(*value) : json::value(nullptr);
}

json::object dense_vector(std::string_view name, const json::object& settings) {
  return {{"name", name},
          {"kind", settings.contains("multivector_config") ? "multi" : "dense"},
          {"size", or_null(settings.if_contains("size"))},
          {"distance", or_null(settings.if_contains("distance"))}};
}

json::array vectors_of(const json::object& params) {
  json::array vectors;
  if (const auto* dense = object_at(params, {"vectors"}); dense != nullptr) {
    if (dense->contains("size")) {
      vectors.push_back(dense_vector("", *dense));
    } else {
      for (const auto& [name, settings] : *dense) {
        if (settings.is_object()) vectors.push_back(dense_vector(name, settings.get_object()));
      }
    }
  }
  if (const auto* sparse = object_at(params, {"sparse_vectors"}); sparse != nullptr) {
    for (const auto& [name, settings] : *sparse) {
      const auto* modifier = settings.is_object() ? settings.get_object().if_contains("modifier") : nullptr;
      vectors.push_back(json::object{{"name", name}, {"kind", "sparse"}, {"modifier", or_null(modifier)}});
    }
  }
  return vectors;
}

std::string_view mode_of(const config::CollectionRule* rule) {
  if (rule == nullptr || rule->mode == config::RerankMode::on_request) return "on_request";
  return rule->mode == config::RerankMode::always ? "always" : "never";
}

json::object rule_of(const config::Config& config, const std::string& collection) {
  const auto* rule = config::find_rule(config, collection);
  auto options = rule == nullptr ? reranker::Options() : rule->options;
  options.fill_from(config.rerank.defaults);
  json::value fields = nullptr;
  if (options.fields) fields = json::value_from(*options.fields);
  return {{"mode", mode_of(rule)},
          {"pattern", rule == nullptr ? json::value(nullptr) : json::value(rule->pattern)},
          {"model", or_null(options.model)},
          {"top_k", or_null(options.top_k)},
          {"weight", or_null(options.weight)},
          {"score_threshold", or_null(options.score_threshold)},
          {"instruction", or_null(options.instruction)},
          {"fields", std::move(fields)}};
}

}  // namespace

std::optional<json::array> names_in(std::string_view body) {
  const auto answer = object_in(body);
  const auto* listed = answer ? at(*answer, {"result", "collections"}) : nullptr;
  if (listed == nullptr || !listed->is_array()) return std::nullopt;
  std::vector<std::string> names;
  for (const auto& one : listed->get_array()) {
    const auto* name = one.is_object() ? one.get_object().if_contains("name") : nullptr;
    if (name != nullptr && name->is_string()) names.emplace_back(name->get_string());
  }
  std::ranges::sort(names);
  return json::value_from(names).get_array();
}

std::optional<json::object> description_in(std::string_view body, const std::string& name,
                                           const config::Config& config) {
  const auto answer = object_in(body);
  const auto* params = answer ? object_at(*answer, {"result", "config", "params"}) : nullptr;
  if (params == nullptr) return std::nullopt;
  const auto& key = config.selection.metadata_key;
  const auto* embedding = at(*answer, {"result", "config", "metadata", key});
  const auto* examples = at(*answer, {"result", "config", "metadata", "example_questions"});
  const auto* rule = config::find_rule(config, name);
  json::value model = embedding != nullptr && embedding->is_string() ? *embedding : json::value(nullptr);
  if (rule != nullptr && !rule->embedding_model.empty()) model = json::value(rule->embedding_model);
  return json::object{
      {"name", name},
      {"points", or_null(at(*answer, {"result", "points_count"}))},
      {"vectors", vectors_of(*params)},
      {"embedding_model", std::move(model)},
      {"examples", examples != nullptr && examples->is_array() ? *examples : json::value(json::array())},
      {"rule", rule_of(config, name)}};
}

json::array sample_in(std::string_view body) {
  json::array sample;
  const auto answer = object_in(body);
  const auto* points = answer ? at(*answer, {"result", "points"}) : nullptr;
  if (points == nullptr || !points->is_array()) return sample;
  for (const auto& point : points->get_array()) {
    if (point.is_object()) sample.push_back(point_of(point.get_object()));
  }
  return sample;
}

}  // namespace qrerank::proxy::admin::compare
