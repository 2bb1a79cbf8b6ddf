#include "proxy/config/assignment.hpp"

#include <algorithm>

#include "reranker/options.hpp"

namespace qrerank::proxy::config {
namespace {

// Names to suggest: whole paths at the top level, the section's own names (and those of sections inside it)
// inside one.
std::vector<std::string_view> known_names(std::string_view section) {
  std::vector<std::string_view> names;
  for (const auto& key : schema()) {
    const std::string_view within = key.section;
    if (const auto dot = within.find('.'); dot != std::string_view::npos) {
      if (section == within.substr(0, dot)) {
        names.push_back(within.substr(dot + 1));
      }
      if (section != within) {
        continue;
      }
    }
    const std::string& name = section.empty() && !key.section.empty() ? key.section : key.name;
    if ((section.empty() || key.section == section) && !name.empty()) {
      names.push_back(name);
      if (!key.alias.empty() && !section.empty()) {
        names.push_back(key.alias);
      }
    }
  }
  return names;
}

std::string upper_spelling(std::string_view name) {
  std::string spelled(name);
  std::ranges::transform(spelled, spelled.begin(), [](unsigned char c) {
    const bool letter = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    const bool lower = c >= 'a' && c <= 'z';
    return static_cast<char>(lower ? c - 'a' + 'A' : letter ? c : '_');
  });
  return spelled;
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return lower;
}

struct Path {
  std::string section;
  std::string entry;
  std::string name;
};

// Splits at the first and the last separator: entries may hold the separator themselves (model "bge-v1.5").
Path split_path(std::string_view text, std::string_view separator) {
  const auto first = text.find(separator);
  if (first == std::string_view::npos) {
    return {"", "", std::string(text)};
  }
  Path path{std::string(text.substr(0, first)), "", std::string(text.substr(first + separator.size()))};
  if (find_key(lower_case(path.section), "") !=
      nullptr) {  // the entry is the value, and all the rest its name
    return {path.section, path.name, ""};
  }
  const auto last = text.rfind(separator);
  if (last > first) {  // a section inside a section
    const std::string inner = path.section + "." + path.name.substr(0, last - first - separator.size());
    if (is_section(lower_case(inner))) {
      return {inner, "", std::string(text.substr(last + separator.size()))};
    }
  }
  const auto second = text.find(separator, first + separator.size());
  if (second < last) {  // an entry of a section inside a section
    const std::string inner = path.section + "." + path.name.substr(0, second - first - separator.size());
    if (is_named_section(lower_case(inner))) {
      return {inner, std::string(text.substr(second + separator.size(), last - second - separator.size())),
              std::string(text.substr(last + separator.size()))};
    }
  }
  if (is_named_section(lower_case(path.section)) && last > first) {
    path.entry = text.substr(first + separator.size(), last - first - separator.size());
    path.name = text.substr(last + separator.size());
  }
  return path;
}

void assign(const Path& path, const std::string& shown, std::string value, std::string origin,
            Assignments& into) {
  const Key* key = find_key(path.section, path.name);
  const bool entry_fits = key != nullptr && (key->scope == Scope::global) == path.entry.empty();
  if (!entry_fits) {
    const bool needs_entry = is_named_section(path.section) && path.entry.empty();
    into.problems.push_back(
        {std::move(origin), needs_entry ? shown + " needs a name and a key: " + path.section + ".<name>.<key>"
                                        : unknown_key_message(shown, path.section)});
    return;
  }
  into.list.push_back({key, path.entry, {std::move(value), {}, false}, std::move(origin)});
}

}  // namespace

bool is_section(std::string_view name) {
  return std::ranges::find(schema(), name, &Key::section) != schema().end();
}

bool is_named_section(std::string_view section) {
  return std::ranges::any_of(
      schema(), [&](const Key& key) { return key.section == section && key.scope != Scope::global; });
}

const Key* find_key(std::string_view section, std::string_view name) {
  const auto keys = schema();
  const auto key = std::ranges::find_if(keys, [&](const Key& k) {
    return k.section == section && (k.name == name || (!k.alias.empty() && k.alias == name));
  });
  return key == keys.end() ? nullptr : &*key;
}

std::string unknown_key_message(std::string_view path, std::string_view section) {
  std::string message = std::string(path) + " is not a known key";
  const bool section_is_known = find_key(section, "") != nullptr || !known_names(section).empty();
  const auto dot = path.rfind('.');
  const bool inside = section_is_known && !section.empty() && dot != std::string_view::npos;
  const auto last = inside ? path.substr(dot + 1) : path.substr(0, path.find('.'));
  const auto near = reranker::nearest_name(last, known_names(inside ? section : ""));
  if (near.empty()) {
    return message;
  }
  const auto suggestion = inside ? std::string(path.substr(0, dot + 1)) + near
                                 : near + std::string(path.substr(std::min(path.find('.'), path.size())));
  return message + "; did you mean " + suggestion + "?";
}

void read_environment(const std::vector<std::pair<std::string, std::string>>& environment,
                      Assignments& into) {
  constexpr std::string_view kPrefix = "QRERANK_";
  auto variables = environment;
  std::ranges::sort(variables);  // the order of a process's environment means nothing
  for (const auto& [variable, value] : variables) {
    if (!variable.starts_with(kPrefix) || variable.find("__") == std::string::npos) {
      continue;
    }
    Path path = split_path(std::string_view(variable).substr(kPrefix.size()), "__");
    path.section = lower_case(path.section);
    path.name = lower_case(path.name);
    std::vector<std::string> same;
    for (const auto& earlier : into.list) {
      if (!path.entry.empty() && earlier.section() == path.section &&
          upper_spelling(earlier.entry) == upper_spelling(path.entry) &&
          std::ranges::find(same, earlier.entry) == same.end()) {
        same.push_back(earlier.entry);
      }
    }
    if (same.size() > 1) {
      into.problems.push_back(
          {variable, "could mean " + same[0] + " or " + same[1] + "; use --set for this one"});
      continue;
    }
    path.entry = same.empty() ? lower_case(path.entry) : same.front();
    std::string shown = path.section;
    for (const auto& part : {path.entry, path.name}) {
      shown += (part.empty() ? "" : ".") + part;
    }
    assign(path, shown, value, variable, into);
  }
}

void read_sets(const std::vector<std::string>& sets, Assignments& into) {
  for (const auto& set : sets) {
    const auto equals = set.find('=');
    const std::string name = set.substr(0, equals);
    if (equals == std::string::npos || name.empty()) {
      into.problems.push_back(
          {"--set " + name, "expected key=value, such as --set proxy.listen=127.0.0.1:7333"});
      continue;
    }
    assign(split_path(name, "."), name, set.substr(equals + 1), "--set " + name, into);
  }
}

}  // namespace qrerank::proxy::config
