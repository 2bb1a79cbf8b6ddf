// The rows of rerank.*, collections.*, selection.* and what searches are judged by.
#include "proxy/config/rows.hpp"

namespace qrerank::proxy::config::rows {

using namespace std::chrono_literals;

void add_rerank(Keys& keys) {
  keys.push_back(
      live(values::text(ValueType::model_name, "rerank", "default_model", "`mock` or a name under `models`",
                        "The model that judges where none is named and the embedding model leads to none; "
                        "`mock` counts common words and is for trying things out.",
                        QRERANK_CONFIG(std::string, rerank.default_model))));
  keys.push_back(live(values::integer<std::int64_t>(
      "rerank", "max_top_k", "The largest `rerank_top_k` that a search may ask for.",
      QRERANK_CONFIG(std::int64_t, rerank.limits.max_top_k), 10, 10'000)));
  keys.push_back(live(values::integer<std::int64_t>(
      "rerank", "max_query_chars",
      "The longest `rerank_query` in characters; a query text found in the request is cut there.",
      QRERANK_CONFIG(std::int64_t, rerank.limits.max_query_chars), 1, 1'000'000)));
  for (const auto& spec : reranker::option_table()) {
    if (!spec.config_key().empty()) {
      Key key = values::option("rerank", spec, QRERANK_CONFIG(reranker::Options, rerank.defaults));
      if (key.name == "timeout_ms") {
        key.default_text = std::to_string(kDefaultTimeoutMs);
      }
      keys.push_back(std::move(key));
    }
  }
}

void add_collections(Keys& keys) {
  const auto add = [&](Key key) { keys.push_back(live(within(Scope::collection, std::move(key)))); };
  add(values::choice<RerankMode>(
      "collections", "rerank", "Whether searches are reranked without asking, when they ask, or not at all.",
      QRERANK_AT(RerankMode, place.collection->mode),
      {{"on_request", RerankMode::on_request},
       {"always", RerankMode::always},
       {"never", RerankMode::never}}));
  add(defaulting_to(
      values::text(ValueType::text, "collections", "embedding_model", "a name such as BAAI/bge-base-en-v1.5",
                   "What made the collection's vectors; the reranker that belongs to it judges where no "
                   "`model` is said.",
                   QRERANK_AT(std::string, place.collection->embedding_model)),
      "the search's `Document`, else the collection's metadata"));
  for (const auto& spec : reranker::option_table()) {
    if (spec.config_key().empty()) {
      continue;
    }
    Key key = values::option("collections", spec, QRERANK_AT(reranker::Options, place.collection->options));
    if (key.name == "model") {
      key.alias = "reranker";
    }
    key.default_text = "`rerank." + key.name + "`";
    add(std::move(key));
  }
}

void add_selection(Keys& keys) {
  keys.push_back(
      live(values::text(ValueType::text, "selection", "metadata_key", "a text",
                        "The member of a collection's metadata at Qdrant that names its embedding model.",
                        QRERANK_CONFIG(std::string, selection.metadata_key))));
  keys.push_back(live(values::duration(
      "selection", "metadata_ttl",
      "How long a collection's metadata is believed before it is read again; 0 never reads it.",
      QRERANK_CONFIG(Milliseconds, selection.metadata_ttl), 0ms, 24h)));
  keys.push_back(live(
      values::duration("selection", "metadata_timeout",
                       "How long a search may wait for its collection's metadata; then it goes on without.",
                       QRERANK_CONFIG(Milliseconds, selection.metadata_timeout), 1ms, 1min)));
  keys.push_back(defaulting_to(
      live(within(
          Scope::mapping,
          values::text(ValueType::text, "model_mapping", "", "`mock`, or a name or hub name under `models`",
                       "The reranker for an embedding model; the name may be a glob, letters count in "
                       "any case, and without a `/` it is compared with what follows the last one.",
                       QRERANK_AT(std::string, place.mapped->reranker)))),
      "the table that the program brings"));
}

}  // namespace qrerank::proxy::config::rows
