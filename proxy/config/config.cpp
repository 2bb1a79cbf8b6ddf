#include "proxy/config/config.hpp"

#include <algorithm>

namespace qrerank::proxy::config {
namespace {

// The end of the UTF-8 character that begins at `at`: `?` stands for a character, not for a byte.
std::size_t next_character(std::string_view text, std::size_t at) {
  ++at;
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) {
    ++at;
  }
  return at;
}

char lower_case(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::string to_string(const Endpoint& endpoint) {
  return endpoint.host + ":" + std::to_string(endpoint.port);
}

std::string_view bare_host(std::string_view host) {
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return bracketed ? host.substr(1, host.size() - 2) : host;
}

std::vector<Instruction> default_instructions() {
  return {
      {"general", "Given a web search query, retrieve relevant passages that answer the query"},
      {"code", "Given a question about code, retrieve the code or documentation that answers it"},
      {"qa", "Given a question, retrieve passages that answer the question"},
      {"legal", "Given a legal question, retrieve the statutes, cases or clauses that bear on it"},
      {"medical", "Given a medical question, retrieve passages that answer it from evidence"},
      {"support", "Given a customer's question, retrieve the help article that resolves it"},
  };
}

bool glob_matches(std::string_view pattern, std::string_view name) {
  // On a mismatch only the latest `*` ever needs to take one character more, so there is no recursion.
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t star_took_to = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_took_to = n;
    } else if (p < pattern.size() && pattern[p] == '?') {
      ++p;
      n = next_character(name, n);
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      star_took_to = next_character(name, star_took_to);
      n = star_took_to;
      p = star + 1;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') {
    ++p;
  }
  return p == pattern.size();
}

const CollectionRule* find_rule(const Config& config, const std::string& collection) {
  const auto& rules = config.collections;
  const auto exact = std::ranges::find(rules, collection, &CollectionRule::pattern);
  if (exact != rules.end()) {
    return &*exact;
  }
  const auto glob = std::ranges::find_if(
      rules, [&](const CollectionRule& rule) { return glob_matches(rule.pattern, collection); });
  return glob == rules.end() ? nullptr : &*glob;
}

const Model* find_model(const Config& config, std::string_view name) {
  const auto found = std::ranges::find(config.models, name, &Model::name);
  return found == config.models.end() ? nullptr : &*found;
}

const EmbeddingModel* find_embedding_model(const Config& config, std::string_view said) {
  const auto same = [&](std::string_view name) {
    return std::ranges::equal(name, said, {}, lower_case, lower_case);
  };
  const auto found = std::ranges::find_if(config.embedding_models, [&](const EmbeddingModel& model) {
    return same(model.name) || (!model.hub.empty() && same(model.hub)) ||
           std::ranges::any_of(model.names, same);
  });
  return found == config.embedding_models.end() ? nullptr : &*found;
}

std::string model_folder(const Config& config, const Model& model) {
  if (!model.path.empty()) {
    return model.path;
  }
  const auto slash = model.hub.rfind('/');
  return config.models_folder + "/" + (slash == std::string::npos ? model.hub : model.hub.substr(slash + 1));
}

std::string_view instruction_text(const Config& config, std::string_view said) {
  const auto found = std::ranges::find(config.instructions, said, &Instruction::name);
  return found == config.instructions.end() ? said : std::string_view(found->text);
}

}  // namespace qrerank::proxy::config
