// The rows of models.* and of what they compute with: scoring.*.
#include "proxy/config/rows.hpp"

namespace qrerank::proxy::config::rows {

using namespace std::chrono_literals;

void add_models(Keys& keys) {
  const auto add = [&](Key key) { keys.push_back(live(within(Scope::model, std::move(key)))); };
  add(defaulting_to(values::text(ValueType::path, "models", "path", "a folder",
                                 "The folder with config.json, tokenizer.json and safetensors.",
                                 QRERANK_AT(std::string, place.model->path)),
                    "the last part of `hub` under `models_folder`"));
  add(defaulting_to(values::text(ValueType::text, "models", "hub", "a name such as BAAI/bge-reranker-base",
                                 "The model's name on the hub, as given to `qrerank pull`.",
                                 QRERANK_AT(std::string, place.model->hub)),
                    "none; `path` is then needed"));
  add(values::choice<reranker::StandIn>(
      "models", "stand_in",
      "For tests: instead of a model, something that counts common words (`works`) or fails as a model can "
      "(docs/operations.md). `path` and `hub` are left out then.",
      QRERANK_AT(reranker::StandIn, place.model->stand_in),
      {{"none", reranker::StandIn::none},
       {"works", reranker::StandIn::works},
       {"hangs", reranker::StandIn::hangs},
       {"throws", reranker::StandIn::throws},
       {"out_of_memory", reranker::StandIn::out_of_memory},
       {"not_a_number", reranker::StandIn::not_a_number},
       {"fails_to_load", reranker::StandIn::fails_to_load}}));
  add(values::word(
      "models", "dtype", "What weights are kept in; `auto` picks by device, `float16` needs a GPU.",
      QRERANK_AT(std::string, place.model->dtype), {"auto", "float32", "bfloat16", "float16", "int8"}));
  add(values::device("models", "device", "Where the model computes; `auto` takes a GPU if there is one.",
                     QRERANK_AT(std::string, place.model->device)));
  add(values::integer<std::uint64_t>(
      "models", "max_length", "Tokens per text and query together; 0 is the model's own (8192 for Qwen3).",
      QRERANK_AT(std::uint64_t, place.model->max_length), 0, 1 << 20));
  add(values::integer<std::uint32_t>(
      "models", "replicas",
      "Copies that compute side by side: on the CPU, which they share, or with "
      "`device: cuda` on a GPU each.",
      QRERANK_AT(std::uint32_t, place.model->replicas), 1, 64));
  add(values::boolean("models", "preload",
                      "Whether it is loaded at the start, not when it is first asked for.",
                      QRERANK_AT(bool, place.model->preload)));
  add(defaulting_to(
      values::optional_duration(
          "models", "idle_unload", "Unloaded when nobody asked for it for so long; 0ms keeps it.",
          QRERANK_AT(std::optional<Milliseconds>, place.model->idle_unload), 0ms, 24h * 7),
      "`scoring.idle_unload`"));
}

void add_scoring(Keys& keys) {
  keys.push_back(values::integer<std::uint64_t>(
      "scoring", "token_budget", "The most tokens of one batch; larger batches take more memory.",
      QRERANK_CONFIG(std::uint64_t, scoring.token_budget), 64, 1 << 24));
  keys.push_back(values::duration("scoring", "batch_time",
                                  "What one batch should take at most, by the measured speed of each "
                                  "replica: a batch is not interrupted, "
                                  "so searches behind it wait so long. Longer ones are a little faster; 512 "
                                  "tokens are always allowed, and "
                                  "0ms sets no limit.",
                                  QRERANK_CONFIG(Milliseconds, scoring.batch_time), 0ms, 10min));
  keys.push_back(values::integer<std::uint64_t>(
      "scoring", "max_queued_texts", "Texts waiting to be scored; beyond it searches fall back at once.",
      QRERANK_CONFIG(std::uint64_t, scoring.max_queued_texts), 1, 1 << 24));
  keys.push_back(values::integer<std::uint64_t>(
      "scoring", "max_queued_tokens", "Tokens waiting to be scored; beyond it searches fall back at once.",
      QRERANK_CONFIG(std::uint64_t, scoring.max_queued_tokens), 64, 1 << 30));
  keys.push_back(values::size("scoring", "cache_bytes",
                              "Memory for scores already computed; 0 switches the cache off.",
                              QRERANK_CONFIG(std::uint64_t, scoring.cache_bytes), 0, 1024 * kGiB));
  keys.push_back(values::integer<int>("scoring", "threads",
                                      "Threads that compute on the CPU; 0 takes the machine's cores.",
                                      QRERANK_CONFIG(int, scoring.threads), 0, 1024));
  keys.push_back(values::integer<int>("scoring", "tokenizer_threads",
                                      "Threads that tokenize; 0 takes the machine's cores, at most 4.",
                                      QRERANK_CONFIG(int, scoring.tokenizer_threads), 0, 256));
  keys.push_back(live(values::integer<std::uint64_t>(
      "scoring", "max_text_chars", "A longer text is cut here before it is tokenized.",
      QRERANK_CONFIG(std::uint64_t, scoring.max_text_chars), 16, 100'000'000)));
  keys.push_back(values::size("scoring", "memory_budget",
                              "Main memory for the weights of all models together; 0 takes what is free less "
                              "a tenth of the whole. A model that does not fit makes idle ones go, or is "
                              "refused as `out_of_memory`.",
                              QRERANK_CONFIG(std::uint64_t, scoring.memory_budget), 0, 1024 * kGiB));
  keys.push_back(values::size("scoring", "gpu_memory_budget", "The same for the memory of each GPU.",
                              QRERANK_CONFIG(std::uint64_t, scoring.gpu_memory_budget), 0, 1024 * kGiB));
  keys.push_back(values::duration("scoring", "load_timeout",
                                  "The longest that a search waits for its model to load, within its own "
                                  "time limit; then it falls back and the load goes on.",
                                  QRERANK_CONFIG(Milliseconds, scoring.load_timeout), 1ms, 1h));
  keys.push_back(values::duration("scoring", "idle_unload",
                                  "A model that nobody asked for so long is unloaded; 0ms keeps it.",
                                  QRERANK_CONFIG(Milliseconds, scoring.idle_unload), 0ms, 24h * 7));
}

}  // namespace qrerank::proxy::config::rows
