// The configuration as the program uses it: plain structs, already checked. Reading YAML, `--set` and the
// environment is load.hpp's work, the names and bounds stand in schema.hpp.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/secret.hpp"
#include "reranker/options.hpp"
#include "reranker/stand_in_model.hpp"

namespace qrerank::proxy::config {

using Milliseconds = std::chrono::milliseconds;

/// HOST:PORT; the host may be a bracketed IPv6 literal. Port 0 takes a free one.
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const Endpoint&) const = default;
};

/// "127.0.0.1:7333", "[::1]:7333"
std::string to_string(const Endpoint& endpoint);

/// The host without the brackets of an IPv6 literal.
[[nodiscard]] std::string_view bare_host(std::string_view host);

/// What happens to X-Forwarded-For, -Proto and -Host of a request.
enum class XForwarded {
  off,     ///< as they came
  append,  ///< the client's address behind those that came; the others only where they are missing
  replace  ///< what came is dropped: for a proxy that faces the clients itself
};

enum class TlsVersion { v1_2, v1_3 };

/// Whether clients must show a certificate.
enum class ClientCertificates {
  off,       ///< they are not asked
  optional,  ///< one that is shown must be good
  required
};

/// proxy.tls.*: plain HTTP while there is no certificate.
struct ListenerTls {
  std::string certificate;  ///< PEM file: our certificate, then those that lead to a root
  std::string key;          ///< PEM file, not encrypted
  std::string client_ca;    ///< PEM file: whose certificates clients may show
  ClientCertificates client_certificates = ClientCertificates::off;
  TlsVersion min_version = TlsVersion::v1_2;
  Milliseconds handshake_timeout{10'000};
};

/// proxy.*: the listener that clients see.
struct Proxy {
  Endpoint listen{"127.0.0.1", 7333};
  int io_threads = 0;                   ///< 0: the machine's cores, at most 4
  Milliseconds header_timeout{10'000};  ///< first byte of a request to the end of its header
  Milliseconds idle_timeout{75'000};    ///< keep-alive connection without a request
  Milliseconds body_timeout{
      60'000};  ///< between two reads of a body, and between two writes to a slow reader
  Milliseconds drain_timeout{10'000};             ///< SIGTERM: what runs may finish within this
  std::uint64_t max_header_bytes = 64 * 1024;     ///< request line and headers; over it: 431
  std::uint64_t max_inspect_body = 32u << 20;     ///< a search body over it streams through uninspected
  std::uint32_t max_headers = 100;                ///< fields of a request; over it: 431
  std::uint32_t max_connections = 10'000;         ///< over it: accepted ones wait in the kernel's queue
  std::uint32_t max_connections_per_address = 0;  ///< over it: 503 and closed; 0: no such limit
  std::uint64_t max_inspect_memory = 512u << 20;  ///< held at a time; over it searches stream through
  Milliseconds request_timeout{0};                ///< from a request's header to its answer's end; 0: none
  bool via = false;                               ///< add Via both ways
  bool request_id = false;                        ///< x-request-id goes up and comes back with every answer
  XForwarded x_forwarded = XForwarded::off;
  ListenerTls tls;
};

/// admin.*: the second listener, for our own endpoints.
struct Admin {
  Endpoint listen{"127.0.0.1", 7334};
  Secret token;                    ///< what `Authorization: Bearer` must carry; empty: nothing is asked for
  std::string token_file;          ///< where the token was read from; empty: it was given itself, or not
  bool open = false;               ///< may be reached from other machines without a token
  std::vector<std::string> hosts;  ///< names besides its own that `Host` may hold where there is no token
};

/// One upstream base URL: http://host:port or https://host:port, no path.
struct UpstreamUrl {
  std::string text;  ///< as configured
  Endpoint address;
  bool tls = false;
};

/// upstream.tls.*: for those URLs that begin with https.
struct UpstreamTls {
  std::string ca;           ///< PEM file; empty: the system's authorities
  std::string server_name;  ///< in SNI and in the certificate; empty: the URL's host
  std::string certificate;  ///< PEM file, shown to an upstream that asks; empty: none
  std::string key;
  TlsVersion min_version = TlsVersion::v1_2;
  bool verify = true;
};

/// How requests are spread over several servers.
enum class Balance {
  round_robin,       ///< in turn
  least_outstanding  ///< to the one with the fewest requests under way
};

/// upstream.*: the Qdrant servers.
struct Upstream {
  std::vector<UpstreamUrl> urls{{"http://127.0.0.1:6333", {"127.0.0.1", 6333}}};
  Milliseconds connect_timeout{5'000};
  Milliseconds response_timeout{
      120'000};  ///< last request byte to the response header, and between two body reads
  Milliseconds keep_alive_timeout{
      4'000};  ///< an idle connection older than this is closed (Qdrant closes after 5 s)
  Milliseconds keep_alive_time{3'600'000};       ///< a connection older than this is closed after its request
  std::uint32_t keep_alive_requests = 0;         ///< and one that carried so many; 0: no such limit
  Milliseconds resolve_interval{30'000};         ///< a name's addresses older than this are looked up again
  std::uint32_t max_idle_connections = 256;      ///< per I/O thread and upstream
  std::uint64_t max_response_body = 256u << 20;  ///< of an intercepted search; over it: 502
  UpstreamTls tls;

  // Of several servers; a single one is always tried.
  Balance balance = Balance::round_robin;
  std::string health_path = "/readyz";  ///< what a check asks for; an answer below 500 passes
  Milliseconds health_interval{2'000};  ///< between two checks of a server; 0: none are made
  Milliseconds health_timeout{2'000};   ///< a check that takes longer failed
  std::uint32_t health_rise = 2;        ///< passed checks in a row that bring a server back
  std::uint32_t health_fall = 3;        ///< failed checks in a row that take it out
  std::uint32_t eject_failures = 5;     ///< failed requests in a row that eject it; 0: never
  Milliseconds eject_time{5'000};       ///< the first time
  Milliseconds eject_time_max{60'000};  ///< however often it fails
};

/// relays.<name>.*: a further port whose bytes go through as they are, such as Qdrant's gRPC.
struct Relay {
  std::string name;
  Endpoint listen{};                      ///< no host: not said
  std::vector<Endpoint> to;               ///< each connection goes to one of them
  Milliseconds connect_timeout{5'000};    ///< to one of them; then the next is tried
  Milliseconds idle_timeout{0};           ///< nothing in either direction for so long ends it; 0: never
  std::uint32_t max_connections = 1'000;  ///< over it: accepted ones wait in the kernel's queue
  std::uint32_t max_connections_per_address = 0;  ///< over it: closed; 0: no such limit
};

/// rerank.*: defaults of the options and what bounds them.
struct Rerank {
  reranker::Options defaults;  ///< rerank.top_k, rerank.weight, …: lowest precedence
  reranker::OptionLimits limits;
  std::string default_model = "mock";
};

enum class RerankMode { on_request, always, never };

/// collections.<name or glob>.*
struct CollectionRule {
  std::string pattern;
  RerankMode mode = RerankMode::on_request;
  std::string embedding_model;  ///< what made the collection's vectors; empty: not said
  reranker::Options options;
};

/// models.<name>.*; `mock` is always known and needs no section.
struct Model {
  std::string name;
  std::string path;  ///< folder; empty: <models.folder>/<last part of hub>
  std::string hub;   ///< "cross-encoder/ms-marco-MiniLM-L12-v2"
  reranker::StandIn stand_in = reranker::StandIn::none;  ///< for tests: instead of path and hub
  std::string dtype = "auto";
  std::string device = "auto";
  std::uint64_t max_length = 0;  ///< tokens; 0: the model's own
  std::uint32_t replicas = 1;    ///< copies that compute side by side: on the CPU, or on a GPU each
  bool preload = false;          ///< loaded at the start instead of when first asked
  std::optional<Milliseconds> idle_unload;  ///< unset: scoring.idle_unload
};

/// inference.models.<name>.*: makes vectors of the Documents that name it. `mock-embedding` is built in, and
/// on where it has a section.
struct EmbeddingModel : Model {
  std::vector<std::string> names;           ///< what Documents may call it besides `name` and `hub`
  std::string pooling = "auto";             ///< auto, cls, mean
  std::string normalize = "auto";           ///< auto, true, false
  std::optional<std::string> query_prefix;  ///< unset: as the folder or the family has it
};

/// inference.*: Documents become vectors before a search goes upstream.
struct Inference {
  Milliseconds timeout{10'000};           ///< for the vectors of one request
  std::uint64_t cache_bytes = 16u << 20;  ///< for vectors already made; 0: off
};

/// instructions.<name>: what `rerank_instruction` may call by name. `general`, `code`, `qa`, `legal`,
/// `medical` and `support` are built in and may be given other texts.
struct Instruction {
  std::string name;
  std::string text;
};

/// model_mapping.<embedding model>: the reranker that belongs to it. Comes before the table that the program
/// brings (proxy/selection/mapping.hpp), whose grammar of names it shares.
struct MappedModel {
  std::string embedding;  ///< a name or a glob
  std::string reranker;   ///< `mock`, or a name or hub name under `models`
};

/// selection.*: how the model is chosen where none is named.
struct Selection {
  std::string metadata_key = "embedding_model";  ///< member of a collection's metadata at Qdrant
  Milliseconds metadata_ttl{60'000};     ///< how long a collection's metadata is believed; 0: not read
  Milliseconds metadata_timeout{1'000};  ///< for reading it; the search waits no longer
};

/// The built-in instructions.
std::vector<Instruction> default_instructions();

/// scoring.*: the engine's bounds.
struct Scoring {
  std::uint64_t token_budget = 8192;      ///< the most tokens of a batch
  Milliseconds batch_time{1'000};         ///< what a batch should take at most; 0: no such limit
  std::uint64_t max_queued_texts = 4000;  ///< over it: overloaded
  std::uint64_t max_queued_tokens = 1u << 20;
  std::uint64_t cache_bytes = 64u << 20;   ///< score cache; 0: off
  int threads = 0;                         ///< compute threads; 0: the machine's cores
  int tokenizer_threads = 0;               ///< 0: the machine's cores, at most 4
  std::uint64_t max_text_chars = 100'000;  ///< a longer text is cut before it is tokenized
  std::uint64_t memory_budget = 0;         ///< bytes of weights in main memory; 0: from the machine
  std::uint64_t gpu_memory_budget = 0;     ///< bytes of weights on each GPU; 0: from the GPU
  Milliseconds load_timeout{30'000};       ///< the longest that a search waits for its model to load
  Milliseconds idle_unload{0};             ///< a model without work for so long is unloaded; 0: never
};

enum class LogFormat { text, json };

/// log.*
struct Log {
  std::string level = "info";  ///< trace, debug, info, warn, error
  LogFormat format = LogFormat::text;
  bool access = false;  ///< one line per request
};

/// tracing.*: spans of requests, to a collector.
struct Tracing {
  std::string endpoint;  ///< URL for OTLP/HTTP; empty: no tracing, and `traceparent` passes as it came
  std::string service_name = "qrerank";
  double sample_ratio = 1;  ///< of the traces that begin here; others follow their parent
  Secret headers;           ///< "name=value,name=value", for the collector
  std::string ca;           ///< PEM file; empty: the system's authorities
};

/// Where each key and entry was last said: path ("proxy.listen", "collections.docs.top_k",
/// "collections.docs") → "config.yaml:12", "QRERANK_PROXY__LISTEN" or "--set proxy.listen". What nobody said
/// is not in it.
using Origins = std::map<std::string, std::string, std::less<>>;

struct Config {
  Origins origins;
  std::vector<std::string> warnings;  ///< what is in force all the same; no text of a secret in it
  Proxy proxy;
  Admin admin;
  Upstream upstream;
  std::vector<Relay> relays;  ///< in the file's order
  Rerank rerank;
  std::vector<CollectionRule> collections;  ///< in the file's order
  std::vector<Model> models;                ///< in the file's order
  Inference inference;
  std::vector<EmbeddingModel> embedding_models;  ///< inference.models, in the file's order
  std::vector<Instruction> instructions = default_instructions();
  Selection selection;
  std::vector<MappedModel> model_mapping;  ///< in the file's order
  Scoring scoring;
  Log log;
  Tracing tracing;
  std::string
      models_folder;  ///< `models_folder:` where `qrerank pull` writes; default: ~/.cache/qrerank/models
};

/// The rule for a collection: an exact name wins, else the first glob (`*`, `?`) that matches, else null.
const CollectionRule* find_rule(const Config& config, const std::string& collection);

/// True when `pattern` (`*` any text, `?` one character) matches all of `name`. Time is O(pattern * name).
bool glob_matches(std::string_view pattern, std::string_view name);

/// The section of that name, or null; also null for `mock`, which has none.
const Model* find_model(const Config& config, std::string_view name);

/// The embedding model that a Document's `model` means: its name, hub name or one of its names, in any case;
/// or null.
const EmbeddingModel* find_embedding_model(const Config& config, std::string_view said);

/// The folder that holds a model: its path, else <models_folder>/<last part of hub>.
std::string model_folder(const Config& config, const Model& model);

/// The text that `said` stands for: the configured instruction of that name, else `said` itself.
std::string_view instruction_text(const Config& config, std::string_view said);

}  // namespace qrerank::proxy::config
