// The rows of inference.*: texts of searches become vectors here.
#include "proxy/config/rows.hpp"

namespace qrerank::proxy::config::rows {

using namespace std::chrono_literals;

namespace {

constexpr const char* kModels = "inference.models";

// An empty one is a value, too: it switches the family's off.
Key query_prefix() {
  Key key = values::row(ValueType::text, kModels, "query_prefix", "a text, or an empty one for none",
                        "What is put before each query.");
  key.set = [](const Place& place, const Given& given) -> values::Stored {
    const bool fits =
        !given.is_list && given.text.size() <= 4096 && given.text.find('\0') == std::string::npos;
    if (!fits) return tl::unexpected(std::string("it is not a text of at most 4096 bytes"));
    place.embedding->query_prefix = given.text;
    return {};
  };
  key.get = [](const Place& place) -> std::optional<Given> {
    const auto& stored = place.embedding->query_prefix;
    return stored ? std::optional(Given{*stored, {}, false}) : std::nullopt;
  };
  return key;
}

void add_embedding_models(Keys& keys) {
  const auto add = [&](Key key) { keys.push_back(live(within(Scope::embedding, std::move(key)))); };
  add(defaulting_to(values::text(ValueType::path, kModels, "path", "a folder",
                                 "The folder with config.json, tokenizer.json and safetensors.",
                                 QRERANK_AT(std::string, place.embedding->path)),
                    "the last part of `hub` under `models_folder`"));
  add(defaulting_to(
      values::text(ValueType::text, kModels, "hub", "a name such as BAAI/bge-small-en-v1.5",
                   "The model's name on the hub, as given to `qrerank pull`; Documents may use it, too.",
                   QRERANK_AT(std::string, place.embedding->hub)),
      "none; `path` is then needed"));
  add(defaulting_to(
      values::names(
          kModels, "names",
          "What a Document's `model` may say besides the section's name and `hub`; letters count in any "
          "case.",
          QRERANK_AT(std::vector<std::string>, place.embedding->names)),
      "none"));
  add(defaulting_to(values::word(kModels, "pooling", "How the tokens' states become one vector.",
                                 QRERANK_AT(std::string, place.embedding->pooling), {"auto", "cls", "mean"}),
                    "the folder's `1_Pooling/config.json`, else what the family is known to need (bge, "
                    "arctic-embed: `cls`; e5, MiniLM, gte: `mean`)"));
  add(defaulting_to(
      values::word(kModels, "normalize", "Whether vectors get length 1.",
                   QRERANK_AT(std::string, place.embedding->normalize), {"auto", "true", "false"}),
      "the folder's `modules.json`, else `true`"));
  add(defaulting_to(
      query_prefix(),
      "the folder's `config_sentence_transformers.json`, else the family's (e5: `query: `; English "
      "bge: `Represent this sentence for searching relevant passages: `)"));
  add(values::word(
      kModels, "dtype", "What weights are kept in; `auto` picks by device, `float16` needs a GPU.",
      QRERANK_AT(std::string, place.embedding->dtype), {"auto", "float32", "bfloat16", "float16", "int8"}));
  add(values::device(kModels, "device", "Where the model computes; `auto` takes a GPU if there is one.",
                     QRERANK_AT(std::string, place.embedding->device)));
  add(values::integer<std::uint64_t>(kModels, "max_length",
                                     "Tokens of a text, the prefix's among them; 0 is the model's own.",
                                     QRERANK_AT(std::uint64_t, place.embedding->max_length), 0, 1 << 20));
  add(values::boolean(kModels, "preload",
                      "Whether it is loaded at the start, not when it is first asked for.",
                      QRERANK_AT(bool, place.embedding->preload)));
  add(defaulting_to(
      values::optional_duration(
          kModels, "idle_unload", "Unloaded when nobody asked for it for so long; 0ms keeps it.",
          QRERANK_AT(std::optional<Milliseconds>, place.embedding->idle_unload), 0ms, 24h * 7),
      "`scoring.idle_unload`"));
}

}  // namespace

void add_inference(Keys& keys) {
  keys.push_back(live(values::duration(
      "inference", "timeout",
      "How long a search may wait for its Documents' vectors, within its own `timeout`; then it is refused.",
      QRERANK_CONFIG(Milliseconds, inference.timeout), 1ms, 10min)));
  keys.push_back(values::size("inference", "cache_bytes",
                              "Memory for vectors already made; 0 switches the cache off.",
                              QRERANK_CONFIG(std::uint64_t, inference.cache_bytes), 0, 64 * kGiB));
  add_embedding_models(keys);
}

}  // namespace qrerank::proxy::config::rows
