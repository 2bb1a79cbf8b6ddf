#include "proxy/config/print.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>

namespace qrerank::proxy::config {
namespace {

// Values as YAML, each with a comment on where it was said if that is asked for.
class Printing {
 public:
  Printing(Config& config, std::span<const Key> keys, bool with_origins)
      : config_(config), keys_(keys), with_origins_(with_origins) {}

  std::string text();

 private:
  void emit(const Key& key, const Place& place, const std::string& entry = {});
  void emit_entry(const std::string& name, const Place& place, Scope scope);
  void emit_named_sections();
  void emit_embedding_models();
  void tell_origin(const std::string& path);

  Config& config_;  // of the caller, who has a copy: a Place gives write access
  std::span<const Key> keys_;
  bool with_origins_;
  YAML::Emitter out_;
};

void Printing::tell_origin(const std::string& path) {
  if (!with_origins_) return;
  const auto said = config_.origins.find(path);
  out_ << YAML::Comment(said == config_.origins.end() ? "default" : said->second);
}

void Printing::emit(const Key& key, const Place& place, const std::string& entry) {
  const auto given = key.get(place);
  if (!given) {
    return;
  }
  out_ << YAML::Key << key.name << YAML::Value;
  if (key.secret) {
    out_ << std::string(kMasked);
  } else if (given->is_list) {
    out_ << YAML::Flow << given->list;
  } else {
    out_ << given->text;
  }
  tell_origin(key.path_in(entry));
}

void Printing::emit_entry(const std::string& name, const Place& place, Scope scope) {
  out_ << YAML::Key << name << YAML::Value << YAML::BeginMap;
  for (const auto& key : keys_) {
    if (key.scope == scope) {
      emit(key, place, name);
    }
  }
  out_ << YAML::EndMap;
}

void Printing::emit_named_sections() {
  if (!config_.relays.empty()) {
    out_ << YAML::Key << "relays" << YAML::Value << YAML::BeginMap;
    for (auto& relay : config_.relays) {
      emit_entry(relay.name, {.config = config_, .relay = &relay}, Scope::relay);
    }
    out_ << YAML::EndMap;
  }
  if (!config_.collections.empty()) {
    out_ << YAML::Key << "collections" << YAML::Value << YAML::BeginMap;
    for (auto& rule : config_.collections) {
      emit_entry(rule.pattern, Place{config_, &rule}, Scope::collection);
    }
    out_ << YAML::EndMap;
  }
  if (!config_.models.empty()) {
    out_ << YAML::Key << "models" << YAML::Value << YAML::BeginMap;
    for (auto& model : config_.models) {
      emit_entry(model.name, Place{config_, nullptr, &model}, Scope::model);
    }
    out_ << YAML::EndMap;
  }
  out_ << YAML::Key << "instructions" << YAML::Value << YAML::BeginMap;
  for (const auto& instruction : config_.instructions) {
    out_ << YAML::Key << instruction.name << YAML::Value << instruction.text;
    tell_origin("instructions." + instruction.name);
  }
  out_ << YAML::EndMap;
  if (!config_.model_mapping.empty()) {
    out_ << YAML::Key << "model_mapping" << YAML::Value << YAML::BeginMap;
    for (const auto& mapped : config_.model_mapping) {
      out_ << YAML::Key << mapped.embedding << YAML::Value << mapped.reranker;
      tell_origin("model_mapping." + mapped.embedding);
    }
    out_ << YAML::EndMap;
  }
}

void Printing::emit_embedding_models() {
  out_ << YAML::Key << "models" << YAML::Value << YAML::BeginMap;
  for (auto& model : config_.embedding_models) {
    Place place{config_};
    place.embedding = &model;
    emit_entry(model.name, place, Scope::embedding);
  }
  out_ << YAML::EndMap;
}

std::string Printing::text() {
  const Place place{config_};
  out_ << YAML::BeginMap;
  for (auto key = keys_.begin(); key != keys_.end();) {
    const std::string& section = key->section;
    const auto end = std::find_if(key, keys_.end(), [&](const Key& k) { return k.section != section; });
    const bool global = key->scope == Scope::global;
    if (global && !section.empty()) {
      const auto dot = section.find('.');  // of a section inside the one before it
      out_ << YAML::Key << section.substr(dot == std::string::npos ? 0 : dot + 1) << YAML::Value
           << YAML::BeginMap;
    }
    for (; key != end; ++key) {
      if (global) {
        emit(*key, place);
      }
    }
    if (section == "inference.models") {
      emit_embedding_models();
      out_ << YAML::EndMap;  // inference
    }
    if (global && !section.empty()) {
      const auto dot = section.find('.');
      const auto goes_on_in = [&](const std::string& outer) {
        return end != keys_.end() && end->section.starts_with(outer + ".");
      };
      if (!goes_on_in(section)) {
        out_ << YAML::EndMap;
      }
      if (dot != std::string::npos && !goes_on_in(section.substr(0, dot))) {
        out_ << YAML::EndMap;
      }
    }
  }
  emit_named_sections();
  out_ << YAML::EndMap;
  return std::string(out_.c_str()) + "\n";
}

std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.insert(at, "\\");
  }
  return text;
}

std::string code_unless_prose(const std::string& text) {
  const bool prose = text.find_first_of(" `") != std::string::npos;
  return text.empty() || prose ? text : "`" + text + "`";
}

std::string table_of(std::string_view section) {
  std::string text = "| key | takes | default | a change | meaning |\n|---|---|---|---|---|\n";
  for (const auto& key : schema()) {
    if (key.section != section) {
      continue;
    }
    text += "| `" + key.path() + "`" + (key.alias.empty() ? "" : " (or `" + key.alias + "`)") + " | " +
            cell(key.expected) + " | " + cell(code_unless_prose(key.default_text)) + " | " +
            (key.needs_restart ? "restart" : "reload") + " | " + cell(key.sentence) +
            (key.secret ? " Never shown." : "") + " |\n";
  }
  return text;
}

constexpr std::string_view kReferenceHead = R"(# Configuration

<!-- Generated: qrerank check-config --print-reference > docs/configuration.md. A test compares the two. -->

`qrerank serve --config config.yaml` reads one YAML file; every key is optional. A key can also be set by a
variable or on the command line; the later one wins:

1. the defaults below
2. the file
3. the environment: `QRERANK_PROXY__LISTEN=0.0.0.0:7333` sets `proxy.listen` (`__` stands for the dot; a
   variable without `__` is not a setting). In the name of a collection or model, `_` also stands for what a
   variable's name cannot spell: `QRERANK_MODELS__BGE_BASE__PATH` sets the path of a `bge-base` in the file.
4. `--set proxy.listen=0.0.0.0:7333`, as often as needed

An unknown key, a key given twice, a value of the wrong type or out of bounds is an error that names the file and
line, and nothing starts. `qrerank check-config --config config.yaml` tells all errors at once, or prints the
effective configuration with where each value was said; with `--collection NAME` it tells which rule that collection
gets, and each option's value and where it was said.

On SIGHUP the file and the variables are read again. A faulty configuration is logged and the old one stays; else new
requests get the new one, running ones end with theirs, and no connection is closed. A model that is gone or has other
settings ends its work and leaves memory; the new one is loaded beside it when asked. In the tables below, "reload" marks
what such a reload changes; a change of the others is logged and waits for a restart.

Durations are whole numbers with a unit (`250ms`, `5s`, `2m`, `1h`), sizes are bytes or whole numbers of `KiB`,
`MiB`, `GiB`. Lists are YAML lists; in variables and `--set`, commas separate the items.
)";

constexpr std::pair<std::string_view, std::string_view> kSections[] = {
    {"proxy", "The listener that clients see, and its limits."},
    {"proxy.tls",
     "HTTPS for clients (docs/tls.md). A reload reads the files again; a pair that cannot be used keeps the "
     "old "
     "one."},
    {"admin", "The second listener, for `/livez`, `/readyz`, `/metrics`, `/status` and `/models`."},
    {"upstream", "The Qdrant server behind the proxy."},
    {"upstream.tls", "For those of `upstream.url` that begin with `https://` (docs/tls.md)."},
    {"relays",
     "Further ports, by a name of your own, whose bytes go through as they are: Qdrant's gRPC beside its "
     "REST "
     "API (docs/grpc.md)."},
    {"rerank",
     "Defaults and bounds of the search options. A search's own fields, headers and parameters come first, "
     "then "
     "its collection's rule, then these."},
    {"collections",
     "Rules by collection, under an exact name or a glob (`*` any text, `?` one character). An exact name "
     "wins over "
     "globs, the first glob in the file over later ones; exactly one rule applies, and what it leaves out "
     "comes from "
     "`rerank`."},
    {"models", "The models that may be named. `mock` is always there and needs no section."},
    {"inference",
     "Text in: on searches that are reranked, and only on those, each `Document` whose `model` is named here "
     "is replaced "
     "by its vector before the search goes to Qdrant (docs/text-in.md). Off while no model is named."},
    {"inference.models",
     "Embedding models of the BERT family. `mock-embedding` needs neither `path` nor `hub`: it hashes words "
     "into 64 "
     "numbers, for trying the wiring."},
    {"", "At the top level of the file."},
    {"instructions", "Texts that `rerank_instruction` may use by name."},
    {"selection",
     "How the model is chosen: the search's `rerank_model`, else the collection rule's `model`, else "
     "`rerank.model`; "
     "where none is said, the reranker that belongs to the embedding model, which is named by the rule's "
     "`embedding_model`, else by the search's `Document`, else by the collection's metadata (read from "
     "Qdrant with the "
     "client's own key); where that leads to no model under `models`, `rerank.default_model`."},
    {"model_mapping",
     "Which reranker belongs to which embedding model. The program brings a table of the Qwen3-Embedding, "
     "bge, MiniLM, "
     "e5 and multilingual families (proxy/selection/mapping.cpp); entries here come before it, the first "
     "that "
     "fits wins."},
    {"scoring", "Bounds of the scoring engine."},
    {"log", "What goes to standard error."},
    {"tracing",
     "Spans of requests, to a collector that speaks OTLP over HTTP (docs/tracing.md). Without an endpoint "
     "`traceparent` passes as it came."},
};

}  // namespace

std::string print_effective(const Config& config, std::span<const Key> keys) {
  Config copy = config;
  return Printing(copy, keys, false).text();
}

std::string print_with_origins(const Config& config) {
  Config copy = config;
  return Printing(copy, schema(), true).text();
}

std::string print_reference() {
  std::string text(kReferenceHead);
  for (const auto& [section, sentence] : kSections) {
    text += "\n## " + (section.empty() ? "Top level" : "`" + std::string(section) + "`") + "\n\n" +
            std::string(sentence) + "\n\n" + table_of(section);
  }
  return text;
}

}  // namespace qrerank::proxy::config
