// YAML to assignments. yaml-cpp keeps both of two equal keys, so every map is walked here, pair by pair.
#include <yaml-cpp/yaml.h>

#include <functional>
#include <set>

#include "proxy/config/assignment.hpp"

namespace qrerank::proxy::config {
namespace {

class Reader {
 public:
  Reader(std::string name, Assignments& into) : name_(std::move(name)), into_(into) {}

  void read_root(const YAML::Node& root) {
    if (root.IsNull()) {
      return;
    }
    each_pair(
        root, "the file", [&](const std::string& section, const YAML::Node& at, const YAML::Node& value) {
          if (is_named_section(section)) {
            read_entries(section, value);
          } else if (const Key* key = find_key("", section); key != nullptr && key->scope == Scope::global) {
            read_value(*key, "", section, value, at);
          } else if (is_section(section) && section.find('.') == std::string::npos) {
            read_section(section, section, "", value);
          } else {
            problem(at, unknown_key_message(section, ""));
          }
        });
  }

  void problem(const YAML::Mark& mark, std::string message) {
    into_.problems.push_back({name_ + ":" + std::to_string(mark.line + 1), std::move(message)});
  }

 private:
  using OnPair = std::function<void(const std::string&, const YAML::Node& key, const YAML::Node& value)>;

  void problem(const YAML::Node& at, std::string message) { problem(at.Mark(), std::move(message)); }

  // Calls `on_pair` for each pair of a map whose keys are plain and different.
  void each_pair(const YAML::Node& map, const std::string& what, const OnPair& on_pair) {
    if (!map.IsMap()) {
      problem(map, what + " must be a map of keys and values");
      return;
    }
    std::set<std::string> seen;
    for (const auto& pair : map) {
      if (!pair.first.IsScalar()) {
        problem(pair.first, "a key of " + what + " is not a plain text");
      } else if (!seen.insert(pair.first.Scalar()).second) {
        problem(pair.first, pair.first.Scalar() + " is there twice in " + what);
      } else {
        on_pair(pair.first.Scalar(), pair.first, pair.second);
      }
    }
  }

  void read_section(const std::string& section, const std::string& shown, const std::string& entry,
                    const YAML::Node& map) {
    if (map.IsNull()) {
      return;  // a section whose keys are all commented out
    }
    std::set<const Key*> seen;
    each_pair(map, shown, [&](const std::string& name, const YAML::Node& at, const YAML::Node& value) {
      const Key* key = find_key(section, name);
      if (const std::string inner = section + "." + name;
          key == nullptr && entry.empty() && is_section(inner)) {
        is_named_section(inner) ? read_entries(inner, value) : read_section(inner, inner, "", value);
      } else if (key == nullptr) {
        problem(at, unknown_key_message(shown + "." + name, section));
      } else if (!seen.insert(key).second) {
        problem(at, shown + ": " + key->name + " and " + key->alias + " are the same key");
      } else {
        read_value(*key, entry, shown + "." + name, value, at);
      }
    });
  }

  void read_entries(const std::string& section, const YAML::Node& map) {
    if (map.IsNull()) {
      return;
    }
    each_pair(map, section, [&](const std::string& entry, const YAML::Node& at, const YAML::Node& value) {
      const std::string shown = section + "." + entry;
      if (const Key* key = find_key(section, ""); key != nullptr) {
        read_value(*key, entry, shown, value, at);
      } else {
        into_.list.push_back({nullptr, entry, {section, {}, false}, origin(at)});
        read_section(section, shown, entry, value);
      }
    });
  }

  void read_value(const Key& key, const std::string& entry, const std::string& shown, const YAML::Node& value,
                  const YAML::Node& at) {
    Given given;
    if (value.IsScalar()) {
      given.text = value.Scalar();
    } else if (value.IsSequence()) {
      given.is_list = true;
      for (const auto& item : value) {
        if (!item.IsScalar()) {
          problem(item, shown + ": an item of the list is not a plain value");
          return;
        }
        given.list.push_back(item.Scalar());
      }
    } else {
      problem(at, shown + (value.IsNull() ? " has no value" : " is a map") + ", expected " + key.expected);
      return;
    }
    into_.list.push_back({&key, entry, std::move(given), origin(at)});
  }

  std::string origin(const YAML::Node& at) const { return name_ + ":" + std::to_string(at.Mark().line + 1); }

  std::string name_;
  Assignments& into_;
};

}  // namespace

void read_yaml(std::string_view yaml, const std::string& name, Assignments& into) {
  Reader reader(name, into);
  try {
    const auto documents = YAML::LoadAll(std::string(yaml));
    if (documents.size() > 1) {
      into.problems.push_back({name, "the file holds more than one YAML document"});
      return;
    }
    if (!documents.empty()) {
      reader.read_root(documents.front());
    }
  } catch (const YAML::Exception& error) {  // yaml-cpp tells what is wrong with a file by throwing
    reader.problem(error.mark, "not valid YAML: " + error.msg);
  }
}

}  // namespace qrerank::proxy::config
