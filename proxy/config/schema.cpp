#include "proxy/config/schema.hpp"

#include <algorithm>

#include "proxy/config/values.hpp"

namespace qrerank::proxy::config {
namespace {

using namespace std::chrono_literals;
using Keys = std::vector<Key>;
using values::Access;

constexpr std::uint64_t kKiB = 1u << 10;
constexpr std::uint64_t kMiB = 1u << 20;
constexpr std::uint64_t kGiB = 1u << 30;

// The accessor of one member, e.g. QRERANK_AT(Endpoint, place.config.proxy.listen).
#define QRERANK_AT(type, member) +[](const Place& place) -> type& { return member; }
#define QRERANK_CONFIG(type, member) QRERANK_AT(type, place.config.member)

Key live(Key key) {
  key.needs_restart = false;
  return key;
}

Key defaulting_to(Key key, std::string text) {
  key.default_text = std::move(text);
  return key;
}

Key within(Scope scope, Key key) {
  key.scope = scope;
  return key;
}

Key file(std::string section, std::string name, std::string sentence, Access<std::string> access,
         std::string absent) {
  return defaulting_to(live(values::text(ValueType::path, std::move(section), std::move(name), "a PEM file",
                                         std::move(sentence), access)),
                       std::move(absent));
}

Key min_version(std::string section, Access<TlsVersion> access) {
  return live(values::choice<TlsVersion>(std::move(section), "min_version",
                                         "The oldest version that is spoken.", access,
                                         {{"TLSv1.2", TlsVersion::v1_2}, {"TLSv1.3", TlsVersion::v1_3}}));
}

void add_listener_tls(Keys& keys) {
  keys.push_back(file("proxy.tls", "certificate",
                      "Our certificate, and behind it those that lead to a root; with it the listener speaks "
                      "HTTPS. The files are read again at each reload.",
                      QRERANK_CONFIG(std::string, proxy.tls.certificate), "none: plain HTTP"));
  keys.push_back(file("proxy.tls", "key", "The certificate's private key, not encrypted.",
                      QRERANK_CONFIG(std::string, proxy.tls.key), "none"));
  keys.push_back(live(values::choice<ClientCertificates>(
      "proxy.tls", "client_certificates",
      "Whether clients show a certificate of their own: `optional` lets those without one in, too.",
      QRERANK_CONFIG(ClientCertificates, proxy.tls.client_certificates),
      {{"off", ClientCertificates::off},
       {"optional", ClientCertificates::optional},
       {"required", ClientCertificates::required}})));
  keys.push_back(file("proxy.tls", "client_ca", "The authorities that clients' certificates must come from.",
                      QRERANK_CONFIG(std::string, proxy.tls.client_ca), "none"));
  keys.push_back(min_version("proxy.tls", QRERANK_CONFIG(TlsVersion, proxy.tls.min_version)));
  keys.push_back(live(
      values::duration("proxy.tls", "handshake_timeout", "From the connection to the end of its handshake.",
                       QRERANK_CONFIG(Milliseconds, proxy.tls.handshake_timeout), 10ms, 10min)));
}

void add_upstream_tls(Keys& keys) {
  keys.push_back(file("upstream.tls", "ca", "The authorities that the upstream's certificate must come from.",
                      QRERANK_CONFIG(std::string, upstream.tls.ca), "the system's"));
  keys.push_back(defaulting_to(
      live(values::text(ValueType::text, "upstream.tls", "server_name", "a host name",
                        "The name asked for (SNI) and looked for in the upstream's certificate.",
                        QRERANK_CONFIG(std::string, upstream.tls.server_name))),
      "the host of `upstream.url`"));
  keys.push_back(
      live(values::boolean("upstream.tls", "verify",
                           "Whether the upstream must prove who it is; without, anybody between it "
                           "and us reads and changes everything.",
                           QRERANK_CONFIG(bool, upstream.tls.verify))));
  keys.push_back(
      file("upstream.tls", "certificate",
           "Our own certificate, for an upstream that asks for one, and those that lead to a root.",
           QRERANK_CONFIG(std::string, upstream.tls.certificate), "none"));
  keys.push_back(file("upstream.tls", "key", "The private key of our own certificate, not encrypted.",
                      QRERANK_CONFIG(std::string, upstream.tls.key), "none"));
  keys.push_back(min_version("upstream.tls", QRERANK_CONFIG(TlsVersion, upstream.tls.min_version)));
}

void add_proxy(Keys& keys) {
  keys.push_back(values::endpoint("proxy", "listen",
                                  "Where clients connect; it speaks what Qdrant's REST API speaks.",
                                  QRERANK_CONFIG(Endpoint, proxy.listen)));
  keys.push_back(values::integer<int>("proxy", "io_threads",
                                      "Threads that move bytes; 0 takes the machine's cores, at most 4.",
                                      QRERANK_CONFIG(int, proxy.io_threads), 0, 256));
  keys.push_back(values::duration("proxy", "header_timeout",
                                  "From the first byte of a request to the end of its header.",
                                  QRERANK_CONFIG(Milliseconds, proxy.header_timeout), 10ms, 10min));
  keys.push_back(values::duration("proxy", "idle_timeout",
                                  "How long a keep-alive connection may stay without a request.",
                                  QRERANK_CONFIG(Milliseconds, proxy.idle_timeout), 10ms, 1h));
  keys.push_back(values::duration("proxy", "body_timeout",
                                  "Between two reads of a body, and between two writes to a slow reader.",
                                  QRERANK_CONFIG(Milliseconds, proxy.body_timeout), 10ms, 1h));
  keys.push_back(
      values::duration("proxy", "drain_timeout",
                       "How long running requests may take to finish once the program is told to stop.",
                       QRERANK_CONFIG(Milliseconds, proxy.drain_timeout), 0ms, 1h));
  keys.push_back(values::size("proxy", "max_header_bytes",
                              "Request line and headers together; a longer one is answered with 431.",
                              QRERANK_CONFIG(std::uint64_t, proxy.max_header_bytes), kKiB, kMiB));
  keys.push_back(live(values::size("proxy", "max_inspect_body",
                                   "A search whose body is longer streams through without being looked at.",
                                   QRERANK_CONFIG(std::uint64_t, proxy.max_inspect_body), kKiB, kGiB)));
  keys.push_back(values::integer<std::uint32_t>(
      "proxy", "max_connections", "Client connections at a time; further ones wait in the kernel's queue.",
      QRERANK_CONFIG(std::uint32_t, proxy.max_connections), 1, 1'000'000));
  keys.push_back(values::integer<std::uint32_t>(
      "proxy", "max_headers", "Header fields of a request; one with more is answered with 431.",
      QRERANK_CONFIG(std::uint32_t, proxy.max_headers), 1, 10'000));
  keys.push_back(values::integer<std::uint32_t>(
      "proxy", "max_connections_per_address",
      "Client connections of one address (IPv6: of one /64); a further one gets 503. 0: no such limit.",
      QRERANK_CONFIG(std::uint32_t, proxy.max_connections_per_address), 0, 1'000'000));
  keys.push_back(values::size("proxy", "max_inspect_memory",
                              "Bodies of searches held at a time, together; while it is used up a search "
                              "streams through without being looked at.",
                              QRERANK_CONFIG(std::uint64_t, proxy.max_inspect_memory), kKiB, 1024 * kGiB));
  keys.push_back(values::duration("proxy", "request_timeout",
                                  "From the end of a request's header to the end of its answer, tunnels "
                                  "aside; 0ms: no such limit.",
                                  QRERANK_CONFIG(Milliseconds, proxy.request_timeout), 0ms, 24h));
  keys.push_back(values::boolean("proxy", "via", "Add `Via` to requests and to relayed responses.",
                                 QRERANK_CONFIG(bool, proxy.via)));
  keys.push_back(values::choice<XForwarded>(
      "proxy", "x_forwarded",
      "Whether requests get `X-Forwarded-For`, `-Proto` and `-Host`; `replace` drops those that came.",
      QRERANK_CONFIG(XForwarded, proxy.x_forwarded),
      {{"off", XForwarded::off}, {"append", XForwarded::append}, {"replace", XForwarded::replace}}));
  add_listener_tls(keys);
  keys.push_back(values::endpoint(
      "admin", "listen", "Where health, metrics and status are served; keep it off the public network.",
      QRERANK_CONFIG(Endpoint, admin.listen)));
  keys.push_back(live(defaulting_to(
      values::token(
          "admin", "token",
          "What all pages but `/livez` and `/readyz` ask for as `Authorization: Bearer TOKEN`. On the "
          "command line others can see it: rather a variable, or `token_file`.",
          QRERANK_CONFIG(Secret, admin.token)),
      "none")));
  keys.push_back(live(defaulting_to(values::text(ValueType::path, "admin", "token_file", "a file",
                                                 "Holds the token, and nothing else but a newline.",
                                                 QRERANK_CONFIG(std::string, admin.token_file)),
                                    "none")));
  keys.push_back(live(values::boolean(
      "admin", "open", "Whether `admin.listen` may be reached from other machines without a token.",
      QRERANK_CONFIG(bool, admin.open))));
  keys.push_back(live(defaulting_to(
      values::host_names(
          "admin", "hosts",
          "Names that a request's `Host` may hold besides addresses, `localhost` and the name in "
          "`admin.listen`; asked only where there is no token, against pages that a browser was "
          "led to by a false name.",
          QRERANK_CONFIG(std::vector<std::string>, admin.hosts)),
      "none")));
}

// Of several servers.
void add_nodes(Keys& keys) {
  keys.push_back(values::choice<Balance>(
      "upstream", "balance",
      "Which of several servers gets a request: each in turn, or the one with the fewest requests under way.",
      QRERANK_CONFIG(Balance, upstream.balance),
      {{"round_robin", Balance::round_robin}, {"least_outstanding", Balance::least_outstanding}}));
  keys.push_back(values::duration(
      "upstream", "health_interval",
      "Between two checks of a server, 0ms: none are made. A single server is only connected to, for the "
      "status pages, and always tried.",
      QRERANK_CONFIG(Milliseconds, upstream.health_interval), 0ms, 1h));
  keys.push_back(values::url_path(
      "upstream", "health_path", "What a check asks each of several servers for; an answer below 500 passes.",
      QRERANK_CONFIG(std::string, upstream.health_path)));
  keys.push_back(values::duration("upstream", "health_timeout", "A check that takes longer has failed.",
                                  QRERANK_CONFIG(Milliseconds, upstream.health_timeout), 1ms, 10min));
  keys.push_back(values::integer<std::uint32_t>(
      "upstream", "health_rise", "Passed checks in a row that bring a server back.",
      QRERANK_CONFIG(std::uint32_t, upstream.health_rise), 1, 1000));
  keys.push_back(values::integer<std::uint32_t>(
      "upstream", "health_fall", "Failed checks in a row that take a server out.",
      QRERANK_CONFIG(std::uint32_t, upstream.health_fall), 1, 1000));
  keys.push_back(values::integer<std::uint32_t>("upstream", "eject_failures",
                                                "Requests in a row that fail by a server's fault (refused, "
                                                "cut off, timed out, malformed) until it gets "
                                                "none for a while; 0: never.",
                                                QRERANK_CONFIG(std::uint32_t, upstream.eject_failures), 0,
                                                1'000'000));
  keys.push_back(values::duration("upstream", "eject_time",
                                  "How long it gets none the first time; each further time twice as long.",
                                  QRERANK_CONFIG(Milliseconds, upstream.eject_time), 1ms, 24h));
  keys.push_back(values::duration("upstream", "eject_time_max", "The longest that it gets none.",
                                  QRERANK_CONFIG(Milliseconds, upstream.eject_time_max), 1ms, 24h));
}

void add_upstream(Keys& keys) {
  keys.push_back(values::url_list("upstream", "url", "The Qdrant server, or servers.",
                                  QRERANK_CONFIG(std::vector<UpstreamUrl>, upstream.urls)));
  keys.push_back(values::duration("upstream", "connect_timeout", "Name lookup and connect.",
                                  QRERANK_CONFIG(Milliseconds, upstream.connect_timeout), 1ms, 10min));
  keys.push_back(values::duration("upstream", "response_timeout",
                                  "From the last byte of a request to the header of its response, and "
                                  "between two reads of the response's body.",
                                  QRERANK_CONFIG(Milliseconds, upstream.response_timeout), 1ms, 24h));
  keys.push_back(values::duration(
      "upstream", "keep_alive_timeout",
      "An idle connection older than this is not used again; below the 5 s after which Qdrant closes it.",
      QRERANK_CONFIG(Milliseconds, upstream.keep_alive_timeout), 0ms, 1h));
  keys.push_back(values::duration(
      "upstream", "keep_alive_time",
      "A connection older than this is closed after the request that it carries; 0ms: no such limit.",
      QRERANK_CONFIG(Milliseconds, upstream.keep_alive_time), 0ms, 24h));
  keys.push_back(values::integer<std::uint32_t>(
      "upstream", "keep_alive_requests",
      "A connection that has carried so many requests is closed; 0: no such limit.",
      QRERANK_CONFIG(std::uint32_t, upstream.keep_alive_requests), 0, 1'000'000'000));
  keys.push_back(values::duration(
      "upstream", "resolve_interval",
      "How long the addresses of a name are used before they are looked up again, in the background; the old "
      "ones stay when that fails.",
      QRERANK_CONFIG(Milliseconds, upstream.resolve_interval), 1ms, 24h));
  keys.push_back(values::integer<std::uint32_t>(
      "upstream", "max_idle_connections", "Idle connections kept, per I/O thread and server.",
      QRERANK_CONFIG(std::uint32_t, upstream.max_idle_connections), 0, 100'000));
  keys.push_back(values::size("upstream", "max_response_body",
                              "Longest answer held for reranking; over it the client's own streams, or 502.",
                              QRERANK_CONFIG(std::uint64_t, upstream.max_response_body), kKiB, 16 * kGiB));
  add_nodes(keys);
  add_upstream_tls(keys);
}

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

void add_log(Keys& keys) {
  keys.push_back(live(values::word("log", "level", "The least important lines that are written.",
                                   QRERANK_CONFIG(std::string, log.level),
                                   {"trace", "debug", "info", "warn", "error"})));
  keys.push_back(values::choice<LogFormat>("log", "format", "Lines for people, or one JSON object a line.",
                                           QRERANK_CONFIG(LogFormat, log.format),
                                           {{"text", LogFormat::text}, {"json", LogFormat::json}}));
  keys.push_back(
      live(values::boolean("log", "access", "One line for each request.", QRERANK_CONFIG(bool, log.access))));
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

void add_top_level(Keys& keys) {
  keys.push_back(
      defaulting_to(values::text(ValueType::path, "", "models_folder", "a folder",
                                 "Where `qrerank pull` writes and models without a `path` are looked for; "
                                 "no variable sets it.",
                                 QRERANK_CONFIG(std::string, models_folder)),
                    "`$XDG_CACHE_HOME/qrerank/models`, else `~/.cache/qrerank/models`"));
  keys.push_back(defaulting_to(
      live(within(Scope::instruction,
                  values::text(
                      ValueType::text, "instructions", "", "a text",
                      "What relevance means, by a name that `rerank_instruction` may use; `general`, `code`, "
                      "`qa`, `legal`, `medical` and `support` are there from the start.",
                      QRERANK_AT(std::string, place.instruction->text)))),
      "none"));
}

// The defaults of most keys are those of the structs.
void fill_default_texts(Keys& keys) {
  Config config;
  CollectionRule rule;
  Model model;
  Instruction instruction;
  MappedModel mapped;
  const Place place{config, &rule, &model, &instruction, &mapped};
  for (auto& key : keys) {
    const auto given = key.default_text.empty() ? key.get(place) : std::nullopt;
    if (!given) {
      continue;
    }
    key.default_text = given->text;
    for (const auto& item : given->list) {
      key.default_text += (key.default_text.empty() ? "" : ", ") + item;
    }
  }
}

Keys make_schema() {
  Keys keys;
  add_proxy(keys);
  add_upstream(keys);
  add_rerank(keys);
  add_collections(keys);
  add_models(keys);
  add_top_level(keys);
  add_selection(keys);
  add_scoring(keys);
  add_log(keys);
  fill_default_texts(keys);
  return keys;
}

#undef QRERANK_CONFIG
#undef QRERANK_AT

}  // namespace

std::string Key::path() const {
  const std::string named = scope == Scope::global ? "" : "<name>";
  std::string path = section;
  for (const auto& part : {named, name}) {
    path += (path.empty() || part.empty() ? "" : ".") + part;
  }
  return path;
}

std::span<const Key> schema() {
  static const Keys keys = make_schema();
  return keys;
}

}  // namespace qrerank::proxy::config
