// What the three carriers (YAML, environment, `--set`) are turned into before anything is checked: this key
// gets this value, said there. Private to this room.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "proxy/config/load.hpp"
#include "proxy/config/schema.hpp"

namespace qrerank::proxy::config {

struct Assignment {
  const Key* key = nullptr;  ///< null: only that the entry is there, `given.text` being its section
  std::string entry;         ///< the collection's, model's or instruction's name; empty for global keys
  Given given;
  std::string origin;

  [[nodiscard]] const std::string& section() const { return key == nullptr ? given.text : key->section; }
};

struct Assignments {
  std::vector<Assignment> list;  ///< lowest precedence first
  Problems problems;
};

/// A section with keys of its own: "proxy", "proxy.tls".
bool is_section(std::string_view name);

/// `<entry>` sections.
bool is_named_section(std::string_view section);

/// The key that `section`, `name` (or its alias) stand for, or null.
const Key* find_key(std::string_view section, std::string_view name);

/// "proxy.lisen is not a known key; did you mean proxy.listen?"
std::string unknown_key_message(std::string_view path, std::string_view section);

/// Appends what the YAML text says. Duplicate keys, unknown keys and wrong shapes are problems.
void read_yaml(std::string_view yaml, const std::string& name, Assignments& into);

/// Appends what QRERANK_SECTION__KEY variables say. Names of entries are matched against those already there
/// (letters in any case, `_` for what a variable cannot spell), new ones are taken in lower case.
void read_environment(const std::vector<std::pair<std::string, std::string>>& environment, Assignments& into);

/// Appends what `--set` arguments say.
void read_sets(const std::vector<std::string>& sets, Assignments& into);

}  // namespace qrerank::proxy::config
