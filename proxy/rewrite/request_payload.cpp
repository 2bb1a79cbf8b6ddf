// How Qdrant's selectors work, and so why these rules hold. A selector filters the payload from the top down.
// A member or element stays under `include` when its path and one of the patterns agree as far as the shorter
// goes (so a scalar above a pattern stays too, and `[3]` in a pattern agrees with nothing, for elements are
// met as `[]`); it goes under `exclude` when a pattern is a beginning of its path. Patterns never change each
// other's effect below different keys of the payload itself: there, adding one only adds members.
#include "proxy/rewrite/request_payload.hpp"

#include <algorithm>
#include <utility>

#include "proxy/rewrite/json_splice.hpp"

namespace qrerank::proxy::rewrite {
namespace {

using Selector = WidenedPayload;
using Error = tl::unexpected<std::string>;

struct Pattern {
  std::string raw;  // with its quotes, as the client spelled it
  FieldPath path;
};

Error not_a_selector() {
  return Error("`with_payload` is not a selector");
}

tl::expected<std::vector<Pattern>, std::string> patterns_in(const JsonValue& list) {
  if (!list.is(JsonKind::array) || list.holds_numbers()) {
    return not_a_selector();
  }
  std::vector<Pattern> patterns;
  for (const JsonValue element : list.children()) {
    if (!element.is(JsonKind::string)) {
      return not_a_selector();
    }
    auto path = parse_path(element.text());
    if (!path) {
      return not_a_selector();
    }
    patterns.push_back({std::string(element.raw()), std::move(*path)});
  }
  return patterns;
}

bool begins_with(const FieldPath& path, const FieldPath& beginning) {
  return beginning.steps.size() <= path.steps.size() &&
         std::equal(beginning.steps.begin(), beginning.steps.end(), path.steps.begin());
}

// What a selector must name so that the path's values come: no pattern reaches into `[3]`, so what holds it
// is asked for.
FieldPath fetchable(const FieldPath& field) {
  FieldPath path = field;
  const auto index = std::find_if(path.steps.begin(), path.steps.end(),
                                  [](const PathStep& step) { return step.kind == PathStep::Kind::index; });
  path.steps.erase(index, path.steps.end());
  return path;
}

// Every key quoted: right for any key that can be spelled at all.
std::string spelled(const FieldPath& path) {
  std::string text;
  for (const PathStep& step : path.steps) {
    if (step.kind == PathStep::Kind::all) {
      text += "[]";
      continue;
    }
    const bool plain = !step.key.empty() && std::all_of(step.key.begin(), step.key.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
             c == '-';
    });
    text += text.empty() ? "" : ".";
    text += plain ? step.key : "\"" + step.key + "\"";
  }
  return json_quoted(text);
}

std::string list_of(const std::vector<std::string>& items) {
  std::string list = "[";
  for (const std::string& item : items) {
    list += list.size() > 1 ? "," : "";
    list += item;
  }
  return list + "]";
}

std::vector<FieldPath> fetchable_fields(const TextFields& fields) {
  std::vector<FieldPath> paths;
  for (const FieldPath& field : fields.paths) {
    FieldPath path = fetchable(field);
    const bool there = std::any_of(paths.begin(), paths.end(),
                                   [&](const FieldPath& other) { return other.steps == path.steps; });
    if (!there) {
      paths.push_back(std::move(path));
    }
  }
  return paths;
}

std::string fields_only(const std::vector<FieldPath>& fields) {
  std::vector<std::string> items;
  std::transform(fields.begin(), fields.end(), std::back_inserter(items), spelled);
  return list_of(items);
}

// Sorted: a client may name any number of keys, and each is looked for.
std::vector<std::string> roots_of(const std::vector<Pattern>& patterns) {
  std::vector<std::string> roots;
  std::transform(patterns.begin(), patterns.end(), std::back_inserter(roots),
                 [](const Pattern& pattern) { return pattern.path.root(); });
  std::sort(roots.begin(), roots.end());
  roots.erase(std::unique(roots.begin(), roots.end()), roots.end());
  return roots;
}

Selector widen_include(const std::vector<Pattern>& client, const std::vector<FieldPath>& fields) {
  std::vector<FieldPath> added;
  std::copy_if(fields.begin(), fields.end(), std::back_inserter(added), [&](const FieldPath& field) {
    return std::none_of(client.begin(), client.end(),
                        [&](const Pattern& pattern) { return begins_with(field, pattern.path); });
  });
  if (added.empty()) {
    return {.selector = std::nullopt, .projection = Projection::Payload::whole, .members = {}};
  }
  std::vector<std::string> roots = roots_of(client);
  const bool entangled = std::any_of(added.begin(), added.end(), [&](const FieldPath& field) {
    return std::binary_search(roots.begin(), roots.end(), field.root());
  });
  if (entangled) {
    return {.selector = fields_only(fields), .projection = Projection::Payload::reread, .members = {}};
  }
  std::vector<std::string> items;
  std::transform(client.begin(), client.end(), std::back_inserter(items),
                 [](const Pattern& pattern) { return pattern.raw; });
  std::transform(added.begin(), added.end(), std::back_inserter(items), spelled);
  return {.selector = list_of(items), .projection = Projection::Payload::keep, .members = std::move(roots)};
}

Selector widen_exclude(const std::vector<Pattern>& client, const std::vector<FieldPath>& fields) {
  std::vector<Pattern> staying;
  std::vector<Pattern> lifted;
  for (const Pattern& pattern : client) {
    // An index or a step below a field's end counts as touching it: cautious, and only a second read dearer.
    const FieldPath reach = fetchable(pattern.path);
    const bool touches = std::any_of(fields.begin(), fields.end(), [&](const FieldPath& field) {
      return begins_with(field, reach) || begins_with(reach, field);
    });
    (touches ? lifted : staying).push_back(pattern);
  }
  if (lifted.empty()) {
    return {.selector = std::nullopt, .projection = Projection::Payload::whole, .members = {}};
  }
  const bool plain = std::all_of(lifted.begin(), lifted.end(),
                                 [](const Pattern& pattern) { return pattern.path.is_plain_key(); });
  if (!plain) {
    return {.selector = fields_only(fields), .projection = Projection::Payload::reread, .members = {}};
  }
  std::string selector = "true";
  if (!staying.empty()) {
    std::vector<std::string> items;
    std::transform(staying.begin(), staying.end(), std::back_inserter(items),
                   [](const Pattern& pattern) { return pattern.raw; });
    selector = "{\"exclude\":" + list_of(items) + "}";
  }
  return {
      .selector = std::move(selector), .projection = Projection::Payload::drop, .members = roots_of(lifted)};
}

}  // namespace

tl::expected<WidenedPayload, std::string> widen_payload(const std::optional<JsonValue>& client,
                                                        const TextFields& text_fields) {
  const std::vector<FieldPath> fields = fetchable_fields(text_fields);
  if (!client || client->is_null() || (client->is(JsonKind::boolean) && !client->boolean())) {
    return Selector{.selector = fields_only(fields), .projection = Projection::Payload::none, .members = {}};
  }
  if (client->is(JsonKind::boolean)) {
    return Selector{.selector = std::nullopt, .projection = Projection::Payload::whole, .members = {}};
  }
  if (client->is(JsonKind::array)) {
    return patterns_in(*client).map([&](const auto& patterns) { return widen_include(patterns, fields); });
  }
  // An object has exactly one member: Qdrant knows no other, nor both.
  const auto members = client->children();
  if (!client->is(JsonKind::object) || members.empty() || std::next(members.begin()) != members.end()) {
    return not_a_selector();
  }
  const JsonValue selector = *members.begin();
  if (selector.key() != "include" && selector.key() != "exclude") {
    return not_a_selector();
  }
  return patterns_in(selector).map([&](const auto& patterns) {
    return selector.key() == "include" ? widen_include(patterns, fields) : widen_exclude(patterns, fields);
  });
}

tl::expected<bool, std::string> wants_vectors(const std::optional<JsonValue>& client) {
  if (!client || client->is_null()) {
    return false;
  }
  if (client->is(JsonKind::boolean)) {
    return client->boolean();
  }
  const auto elements = client->children();
  const bool names = client->is(JsonKind::array) && !client->holds_numbers() &&
                     std::all_of(elements.begin(), elements.end(),
                                 [](const JsonValue& element) { return element.is(JsonKind::string); });
  if (!names) {
    return Error("`with_vector` is neither a boolean nor a list of names");
  }
  return true;
}

}  // namespace qrerank::proxy::rewrite
