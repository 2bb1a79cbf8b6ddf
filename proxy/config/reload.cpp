#include "proxy/config/reload.hpp"

#include <algorithm>
#include <iterator>

#include "proxy/config/check.hpp"
#include "proxy/config/schema.hpp"

namespace qrerank::proxy::config {
namespace {

// A section of named entries: their list in the configuration, and the entry's place.
template <class Entry>
struct EntryList {
  std::vector<Entry> Config::* list;
  std::string Entry::* name;
  Entry* Place::* at;
};

constexpr EntryList<CollectionRule> kCollections{&Config::collections, &CollectionRule::pattern,
                                                 &Place::collection};
constexpr EntryList<Model> kModels{&Config::models, &Model::name, &Place::model};
constexpr EntryList<Relay> kRelays{&Config::relays, &Relay::name, &Place::relay};
constexpr EntryList<EmbeddingModel> kEmbeddingModels{&Config::embedding_models, &EmbeddingModel::name,
                                                     &Place::embedding};
constexpr EntryList<Instruction> kInstructions{&Config::instructions, &Instruction::name,
                                               &Place::instruction};
constexpr EntryList<MappedModel> kMapping{&Config::model_mapping, &MappedModel::embedding, &Place::mapped};

class Merging {
 public:
  // Copies: a Place gives write access.
  Merging(const Config& running, const Config& fresh) : running_(running), fresh_(fresh) {
    merged_.config = fresh;
  }

  Reloaded run() {
    const Place was{running_};
    const Place is{fresh_};
    for (const Key& key : schema()) {
      if (key.scope != Scope::global) {
        continue;
      }
      const auto old = key.get(was);
      if (old == key.get(is)) {
        continue;
      }
      note(key, key.path());
      if (key.needs_restart && old) {
        static_cast<void>(key.set(Place{merged_.config}, *old));  // it was in force: it is a good value
        keep_origins(key.path());
      }
    }
    merged_.config.tracing = running_.tracing;  // as a whole: some of its keys may have had no value
    keep_origins("tracing");
    merge(Scope::collection, kCollections);
    merge(Scope::model, kModels);
    merge(Scope::relay, kRelays);
    merge(Scope::embedding, kEmbeddingModels);
    merge(Scope::instruction, kInstructions);
    merge(Scope::mapping, kMapping);
    return std::move(merged_);
  }

 private:
  // Of that path and all below it: what was said where the running values come from.
  void keep_origins(const std::string& path) {
    const auto is_there = [&](const auto& said) {
      return said.first == path || said.first.starts_with(path + ".");
    };
    std::erase_if(merged_.config.origins, is_there);
    std::ranges::copy_if(running_.origins,
                         std::inserter(merged_.config.origins, merged_.config.origins.end()), is_there);
  }

  void note(const Key& key, std::string path) {
    (key.needs_restart ? merged_.after_restart : merged_.changed).push_back(std::move(path));
  }

  // Entries are kept or exchanged as a whole list: their order and their being there count, too.
  template <class Entry>
  void merge(Scope scope, const EntryList<Entry>& section) {
    auto& old = running_.*section.list;
    auto& now = fresh_.*section.list;
    const auto waiting = merged_.after_restart.size();
    const auto by_name = [&](std::vector<Entry>& list, const std::string& name) {
      return std::ranges::find(list, name, section.name);
    };
    for (Entry& entry : now) {
      const std::string& name = entry.*section.name;
      const auto before = by_name(old, name);
      if (before == old.end()) {
        note_entry(scope, name);
        continue;
      }
      Place was{running_};
      was.*section.at = &*before;
      Place is{fresh_};
      is.*section.at = &entry;
      for (const Key& key : schema()) {
        if (key.scope == scope && key.get(was) != key.get(is)) {
          note(key, key.section + "." + name + (key.name.empty() ? "" : "." + key.name));
        }
      }
    }
    for (Entry& entry : old) {
      if (by_name(now, entry.*section.name) == now.end()) {
        note_entry(scope, entry.*section.name);
      }
    }
    if (std::ranges::is_permutation(old, now, {}, section.name, section.name) &&
        !std::ranges::equal(old, now, {}, section.name, section.name)) {
      note_order(scope);
    }
    if (merged_.after_restart.size() != waiting) {
      merged_.config.*section.list = old;
      keep_origins(telling_key(scope).section);
    }
  }

  // An entry that came or went: needs a restart where any of its keys does.
  void note_entry(Scope scope, const std::string& name) {
    const Key& key = telling_key(scope);
    note(key, key.section + "." + name);
  }

  // The order matters where globs are tried one after the other.
  void note_order(Scope scope) {
    if (scope == Scope::collection || scope == Scope::mapping) {
      const Key& key = telling_key(scope);
      note(key, key.section + " (their order)");
    }
  }

  static const Key& telling_key(Scope scope) {
    const auto keys = schema();
    const auto waits =
        std::ranges::find_if(keys, [&](const Key& key) { return key.scope == scope && key.needs_restart; });
    return waits != keys.end() ? *waits : *std::ranges::find(keys, scope, &Key::scope);
  }

  Config running_;
  Config fresh_;
  Reloaded merged_;
};

}  // namespace

tl::expected<Reloaded, Problems> reload(const Config& running, const Config& fresh) {
  Reloaded merged = Merging(running, fresh).run();
  Problems problems;
  for (auto& finding : check_together(merged.config)) {
    problems.push_back({"", std::move(finding.message)});
  }
  if (problems.empty()) {
    return merged;
  }
  std::string waiting = "the rest of it takes effect after a restart: ";
  for (const auto& path : merged.after_restart) {
    waiting += (&path == &merged.after_restart.front() ? "" : ", ") + path;
  }
  problems.push_back({"", std::move(waiting)});
  return tl::unexpected(std::move(problems));
}

}  // namespace qrerank::proxy::config
