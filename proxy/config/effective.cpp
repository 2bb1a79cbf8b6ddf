#include "proxy/config/effective.hpp"

#include <algorithm>

#include "proxy/config/assignment.hpp"

namespace qrerank::proxy::config {
namespace {

std::string shown(const Key& key, const Given& given) {
  if (key.secret) {
    return std::string(kMasked);
  }
  std::string text = given.text;
  for (const auto& item : given.list) {
    text += (text.empty() ? "" : ", ") + item;
  }
  return text;
}

}  // namespace

RuleMatch match_rule(const Config& config, const std::string& collection) {
  RuleMatch match;
  match.rule = find_rule(config, collection);
  match.exact = match.rule != nullptr && match.rule->pattern == collection;
  for (const auto& rule : config.collections) {
    if (&rule != match.rule && glob_matches(rule.pattern, collection)) {
      match.passed_over.push_back(rule.pattern);
    }
  }
  return match;
}

std::vector<EffectiveOption> effective_options(const Config& read, const CollectionRule* rule) {
  Config config = read;  // a Place gives write access
  CollectionRule of_rule = rule == nullptr ? CollectionRule() : *rule;
  const Place place{config, &of_rule};
  std::vector<EffectiveOption> options;
  for (const Key& key : schema()) {
    if (key.scope != Scope::collection) {
      continue;
    }
    EffectiveOption option;
    option.key = &key;
    option.value = key.default_text;
    const auto take = [&](const Key& from, std::string path) {
      const auto given = from.get(place);
      const auto origin = config.origins.find(path);
      if (given) {
        option.value = shown(from, *given);
      }
      if (!given || origin == config.origins.end()) {
        return false;
      }
      option.said = true;
      option.path = std::move(path);
      option.origin = origin->second;
      return true;
    };
    const Key* global = find_key("rerank", key.name);
    if (rule != nullptr && take(key, "collections." + rule->pattern + "." + key.name)) {
      options.push_back(std::move(option));
      continue;
    }
    if (global != nullptr) {
      option.value = global->default_text;
      take(*global, global->path());
    }
    options.push_back(std::move(option));
  }
  return options;
}

}  // namespace qrerank::proxy::config
