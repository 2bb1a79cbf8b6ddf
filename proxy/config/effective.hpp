// What a collection gets: which rule, and each option's value with where it was said. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "proxy/config/load.hpp"
#include "proxy/config/schema.hpp"

namespace qrerank::proxy::config {

struct RuleMatch {
  const CollectionRule* rule = nullptr;  ///< of the configuration; null: none fits
  bool exact = false;                    ///< by its exact name, else by a glob
  std::vector<std::string> passed_over;  ///< patterns that fit as well, in the file's order
};

RuleMatch match_rule(const Config& config, const std::string& collection);

/// One option of a collection's rule as it is in effect where a search says nothing.
struct EffectiveOption {
  const Key* key = nullptr;  ///< of the scope `collection`; lives for ever
  std::string value;         ///< as people write it; of what was never said, the default in words
  bool said = false;
  std::string path;    ///< said: the key that said it, "collections.docs.top_k" or "rerank.top_k"
  std::string origin;  ///< said: where, as Problem::origin
};

/// Every key of a rule, in the table's order. `rule` is one of `config`'s, or null.
std::vector<EffectiveOption> effective_options(const Config& config, const CollectionRule* rule);

}  // namespace qrerank::proxy::config
