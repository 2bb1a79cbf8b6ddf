// The one table of configuration keys: name, type, bounds, default, sentence, and how a value is stored and
// shown. Loading, printing, the reference page and the tests all walk it; a new setting is one row.
// Option keys under `rerank:` and `collections:` are generated from reranker/options.hpp.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/config/config.hpp"

namespace qrerank::proxy::config {

enum class ValueType {
  endpoint,    ///< HOST:PORT
  endpoints,   ///< HOST:PORT or a list
  url_list,    ///< one URL or a list
  duration,    ///< whole number and unit: ms, s, m, h
  size,        ///< bytes, bare or with KiB, MiB, GiB
  integer,     ///< whole number within bounds
  boolean,     ///< true, false
  choice,      ///< one of a few words
  text,        ///< any text but the empty one
  path,        ///< a folder; a leading `~/` is the home folder
  model_name,  ///< `mock` or a name under `models:`
  host_names,  ///< a list of names of hosts
  token,       ///< a secret as HTTP carries one
  number,      ///< within bounds
  device,      ///< auto, cpu, cuda, cuda:N
  option       ///< a row of reranker/options.hpp with its own type
};

/// A value as its carrier spells it: a YAML scalar or list of scalars, a variable, the right side of `--set`.
struct Given {
  std::string text;               ///< when not a list
  std::vector<std::string> list;  ///< when a list
  bool is_list = false;
  bool operator==(const Given&) const = default;
};

/// Where a key's value lives: the configuration and, for keys of named sections, the section's entry.
struct Place {
  Config& config;
  CollectionRule* collection = nullptr;
  Model* model = nullptr;
  Instruction* instruction = nullptr;
  MappedModel* mapped = nullptr;
  Relay* relay = nullptr;
  EmbeddingModel* embedding = nullptr;
};

enum class Scope {
  global,       ///< section.name, or a bare name at the top level
  collection,   ///< collections.<name or glob>.name
  model,        ///< models.<name>.name
  relay,        ///< relays.<name>.name
  instruction,  ///< instructions.<name>: the entry is the value
  embedding,    ///< inference.models.<name>.name
  mapping       ///< model_mapping.<embedding model>: the entry is the value
};

struct Key {
  Scope scope = Scope::global;
  std::string section;  ///< "proxy", "proxy.tls"; empty for keys at the top level
  std::string name;     ///< "listen"; empty in the scopes `instruction` and `mapping`
  std::string alias;    ///< a second name of the same key, or empty
  ValueType type = ValueType::text;
  std::string expected;  ///< what it takes, with bounds: "a duration from 1ms to 1h"
  std::string default_text;
  std::string sentence;
  bool needs_restart = true;  ///< false: a reload may change it while the program runs
  bool secret = false;        ///< never printed

  /// Checks and stores. The error tells what is wrong with the value, without the key's name.
  std::function<tl::expected<void, std::string>(const Place&, const Given&)> set;
  /// The value in a spelling that `set` takes; nothing when it was never set.
  std::function<std::optional<Given>(const Place&)> get;

  /// "proxy.listen", "collections.<name>.top_k", "instructions.<name>"
  [[nodiscard]] std::string path() const;
  /// Of one entry: "collections.docs.top_k", "instructions.mine"; of a global key path(), `entry` being
  /// empty.
  [[nodiscard]] std::string path_in(const std::string& entry) const;
};

/// All keys, in the order that documentation lists them.
/// rerank.timeout_ms where nothing is configured.
inline constexpr std::int64_t kDefaultTimeoutMs = 10'000;

std::span<const Key> schema();

}  // namespace qrerank::proxy::config
