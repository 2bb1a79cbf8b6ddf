#include "proxy/config/load.hpp"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <type_traits>

#include "proxy/config/assignment.hpp"
#include "proxy/config/check.hpp"
#include "proxy/config/read_file.hpp"
#include "proxy/config/secret_file.hpp"

namespace qrerank::proxy::config {
namespace {

constexpr std::size_t kMaxFileBytes = 1u << 20;

std::string_view variable(const Sources& sources, std::string_view name) {
  for (const auto& [key, value] : sources.environment) {
    if (key == name) {
      return value;
    }
  }
  return {};
}

std::string default_models_folder(const Sources& sources) {
  if (const auto cache = variable(sources, "XDG_CACHE_HOME"); cache.starts_with('/')) {
    return std::string(cache) + "/qrerank/models";
  }
  const auto home = variable(sources, "HOME");
  return (home.empty() ? "." : std::string(home)) + "/.cache/qrerank/models";
}

// Names travel in headers, metric labels and paths of keys.
bool is_entry_name(std::string_view section, std::string_view name) {
  if (name.empty() || name.size() > 255) {
    return false;
  }
  if (section == "collections") {
    return std::ranges::none_of(name, [](unsigned char c) { return c < 0x20 || c == 0x7F || c == '/'; });
  }
  if (section == "relays") {  // stands before `=` in the line that tells where they listen
    return std::ranges::all_of(name,
                               [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '_'; });
  }
  return std::ranges::all_of(name, [](unsigned char c) {
    return c > 0x20 && c < 0x7F && c != '"' && c != '\\' && c != ',' && c != ';';
  });
}

// The entry of that name in a list of named things, made when it is new.
template <class T>
T& entry_of(std::vector<T>& list, std::string std::type_identity_t<T>::* name_member,
            const std::string& name) {
  const auto found = std::ranges::find(list, name, name_member);
  if (found != list.end()) {
    return *found;
  }
  T made;
  made.*name_member = name;
  return list.emplace_back(std::move(made));
}

class Loading {
 public:
  explicit Loading(const Sources& sources) : sources_(sources) {}

  tl::expected<Config, Problems> run(Assignments assignments) {
    problems_ = std::move(assignments.problems);
    config_.models_folder = default_models_folder(sources_);
    config_.rerank.defaults.timeout_ms = kDefaultTimeoutMs;
    apply(assignments.list);
    check_whole();
    if (!problems_.empty()) {
      return tl::unexpected(std::move(problems_));
    }
    auto& top_k = config_.rerank.defaults.top_k;
    if (!top_k && config_.rerank.limits.max_top_k < 50) {
      top_k = config_.rerank.limits.max_top_k;  // the table's default would be out of these bounds
    }
    config_.origins = std::move(origins_);
    return std::move(config_);
  }

 private:
  void apply(const std::vector<Assignment>& list) {
    // Bounds of the options first: the values that follow are checked against the final ones.
    for (const bool limits : {true, false}) {
      for (const auto& assignment : list) {
        const bool is_limit = assignment.key != nullptr && assignment.key->section == "rerank" &&
                              assignment.key->name.starts_with("max_");
        if (is_limit == limits) {
          apply(assignment);
        }
      }
    }
  }

  void apply(const Assignment& assignment) {
    const Key* key = assignment.key;
    const std::string& section = assignment.section();
    Place place{config_};
    if (is_named_section(section)) {
      if (!is_entry_name(section, assignment.entry)) {
        if (origins_.try_emplace(section + "." + assignment.entry, assignment.origin).second) {
          problems_.push_back({assignment.origin, section + ": '" + assignment.entry + "' cannot be a name"});
        }
        return;
      }
      if (section == "collections") {
        place.collection = &entry_of(config_.collections, &CollectionRule::pattern, assignment.entry);
      } else if (section == "models") {
        place.model = &entry_of(config_.models, &Model::name, assignment.entry);
      } else if (section == "relays") {
        place.relay = &entry_of(config_.relays, &Relay::name, assignment.entry);
      } else if (section == "inference.models") {
        place.embedding = &entry_of(config_.embedding_models, &EmbeddingModel::name, assignment.entry);
      } else if (section == "model_mapping") {
        place.mapped = &entry_of(config_.model_mapping, &MappedModel::embedding, assignment.entry);
      } else {
        place.instruction = &entry_of(config_.instructions, &Instruction::name, assignment.entry);
      }
      origins_.try_emplace(section + "." + assignment.entry, assignment.origin);
    }
    if (key == nullptr) {
      return;  // the entry itself was all that was said
    }
    const std::string shown = key->path_in(assignment.entry);
    Given given = assignment.given;
    if (key->type == ValueType::path && given.text.starts_with("~/")) {
      given.text = std::string(variable(sources_, "HOME")) + given.text.substr(1);
    }
    const auto stored = key->set(place, given);
    if (!stored) {
      problems_.push_back(
          {assignment.origin, shown + ": " + (key->secret ? "not " + key->expected : stored.error())});
    }
    origins_[shown] = assignment.origin;
  }

  void check_whole() {
    for (auto& finding : check_together(config_)) {
      const auto origin = origins_.find(finding.path);
      problems_.push_back({origin == origins_.end() ? "" : origin->second, std::move(finding.message)});
    }
  }

  const Sources& sources_;
  Config config_;
  Problems problems_;
  Origins origins_;
};

tl::expected<Config, Problems> finish(Assignments assignments, const Sources& sources) {
  read_environment(sources.environment, assignments);
  read_sets(sources.sets, assignments);
  return Loading(sources).run(std::move(assignments));
}

// The token stands in the configuration whichever way it was given.
tl::expected<void, Problems> read_token(Config& config) {
  Admin& admin = config.admin;
  if (admin.token_file.empty()) return {};
  const auto refused = [&](const std::string& why) {
    return tl::unexpected(Problems{{config.origins["admin.token_file"], "admin.token_file: " + why}});
  };
  if (!admin.token.empty()) return refused("admin.token is given as well; one of them is enough");
  const auto read = read_secret_file(admin.token_file);
  if (!read) return refused(read.error());
  const Key& key = *find_key("admin", "token");
  const auto stored = key.set(Place{config}, {read->reveal(), {}, false});
  if (!stored) return refused(admin.token_file + " does not hold " + key.expected);
  config.origins[key.path()] = config.origins["admin.token_file"];
  return {};
}

// Warned of, not refused: where files are handed to containers, their modes are somebody else's.
void warn_of_exposed_secrets(Config& config, const Sources& sources) {
  const auto warn = [&](const std::string& path, const std::string& held, Readers readers = Readers::owner) {
    if (const auto why = exposure_of(path, readers))
      config.warnings.push_back(path + " holds " + held + ", " + *why);
  };
  if (!config.admin.token_file.empty()) warn(config.admin.token_file, "the admin token");
  // Systems keep such keys for a group of their servers.
  for (const auto* key : {&config.proxy.tls.key, &config.upstream.tls.key}) {
    if (!key->empty()) warn(*key, "a private key", Readers::owner_and_group);
  }
  if (!sources.file) return;
  for (const auto& key : schema()) {
    const auto origin = config.origins.find(key.path());
    const bool from_file = origin != config.origins.end() && origin->second.starts_with(*sources.file + ":");
    if (key.secret && from_file) return warn(*sources.file, key.path());
  }
}

tl::expected<Config, Problems> with_secrets(Config config, const Sources& sources) {
  if (auto read = read_token(config); !read) return tl::unexpected(std::move(read.error()));
  warn_of_exposed_secrets(config, sources);
  return config;
}

}  // namespace

std::string to_string(const Problems& problems) {
  std::string text;
  for (const auto& problem : problems) {
    text += (problem.origin.empty() ? "" : problem.origin + ": ") + problem.message + "\n";
  }
  return text;
}

tl::expected<Config, Problems> load_text(std::string_view yaml, const std::string& name,
                                         const Sources& sources) {
  Assignments assignments;
  read_yaml(yaml, name, assignments);
  return finish(std::move(assignments), sources);
}

tl::expected<Config, Problems> load(const Sources& sources) {
  const auto and_secrets = [&](Config config) { return with_secrets(std::move(config), sources); };
  if (!sources.file) {
    return finish({}, sources).and_then(and_secrets);
  }
  const auto text = read_file(*sources.file, kMaxFileBytes);
  if (!text) return tl::unexpected(Problems{{*sources.file, text.error()}});
  return load_text(*text, *sources.file, sources).and_then(and_secrets);
}

std::vector<std::pair<std::string, std::string>> process_environment() {
  std::vector<std::pair<std::string, std::string>> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos) {
      variables.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return variables;
}

}  // namespace qrerank::proxy::config
