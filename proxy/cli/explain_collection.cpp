#include "proxy/cli/explain_collection.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "proxy/config/effective.hpp"
#include "proxy/selection/choose.hpp"

namespace qrerank::proxy::cli {
namespace {

struct Line {
  std::string name;
  std::string value;
  std::string why;
};

std::string quoted_list(const std::vector<std::string>& patterns) {
  std::string text;
  for (const auto& pattern : patterns) {
    text += (text.empty() ? "" : ", ") + ("'" + pattern + "'");
  }
  return text;
}

std::string why_this_rule(const config::Config& config, const config::RuleMatch& match) {
  if (match.rule == nullptr) {
    return "no rule fits; reranked on request, with the options under rerank";
  }
  const std::string path = "collections." + match.rule->pattern;
  const auto origin = config.origins.find(path);
  std::string text = "the rule " + path;
  text += origin == config.origins.end() ? "" : " (" + origin->second + ")";
  text += match.exact ? ", by its exact name" : ", the first glob that fits";
  if (!match.passed_over.empty()) {
    text += "; passed over: " + quoted_list(match.passed_over);
  }
  return text;
}

Line line_of(const config::EffectiveOption& option) {
  return {option.key->name, option.value, option.said ? option.path + ", " + option.origin : "default"};
}

// Where no model is named the embedding model decides, as far as the configuration alone can tell.
Line model_line(const config::Config& config, const config::CollectionRule* rule) {
  const auto choice = selection::choose({config, rule, std::nullopt, {}});
  if (!choice) {
    return {"model", "by embedding model",
            "the search's Document, else the collection's metadata; else rerank.default_model, " +
                config.rerank.default_model};
  }
  if (choice->embedding.empty()) {
    return {"model", choice->model,
            "rerank.default_model; no model under models belongs to an embedding model"};
  }
  const std::string reranker = choice->reranker.empty() ? "no reranker that is known" : choice->reranker;
  if (choice->basis == selection::Basis::default_model) {
    return {"model", choice->model,
            "rerank.default_model; " + choice->embedding + " belongs to " + reranker +
                (choice->reranker.empty() ? "" : ", which is not under models")};
  }
  return {"model", choice->model, "the model for " + choice->embedding + ": " + reranker};
}

}  // namespace

std::string explain_collection(const config::Config& config, const std::string& collection) {
  const auto match = config::match_rule(config, collection);
  std::vector<Line> lines;
  for (const auto& option : config::effective_options(config, match.rule)) {
    const bool by_mapping = option.key->name == "model" && !option.said;
    lines.push_back(by_mapping ? model_line(config, match.rule) : line_of(option));
  }
  std::size_t names = 0;
  std::size_t values = 0;
  for (const auto& line : lines) {
    names = std::max(names, line.name.size());
    values = std::max(values, std::min<std::size_t>(line.value.size(), 40));
  }
  std::string text = collection + ": " + why_this_rule(config, match) + "\n";
  for (const auto& line : lines) {
    text += fmt::format("  {:<{}}  {:<{}}  # {}\n", line.name, names, line.value, values, line.why);
  }
  return text;
}

}  // namespace qrerank::proxy::cli
