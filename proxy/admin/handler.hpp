// The program's own endpoints, answered from callbacks: no sockets here, see server.hpp.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/config.hpp"
#include "proxy/http/message.hpp"
#include "proxy/upstream/nodes.hpp"
#include "reranker/scorer.hpp"

namespace qrerank::proxy::admin {

struct AdminRequest {
  std::string method;
  std::string target;     ///< a query string is ignored
  std::string host = {};  ///< the fields of these names, or empty
  std::string authorization = {};
  std::string origin = {};
  std::string api_key = {};  ///< Qdrant's, for what is asked of it
  std::string if_none_match = {};
  std::string body = {};
};

struct AdminReply {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::string allow;                     ///< for 405; empty: no header
  std::string authenticate = {};         ///< WWW-Authenticate, for 401; empty: no header
  std::vector<http::Field> fields = {};  ///< further ones; they replace what is sent with every answer
};

/// What the handler may ask the program. Each is called on the admin listener's thread and must not block.
struct AdminContext {
  std::string version;
  std::function<std::chrono::seconds()> uptime;
  std::function<std::vector<upstream::NodeStatus>()> upstreams;
  std::function<std::vector<reranker::ModelStatus>()> models;
  std::function<bool()> draining;  ///< told to stop: not ready any more
  std::function<std::shared_ptr<const config::Config>()> config;
  std::function<std::string()> metrics;  ///< Prometheus' text
  /// Orders that are not waited for; false: a model that is always there, or unknown.
  std::function<bool(const std::string& model)> load;
  std::function<bool(const std::string& model)> unload;
  std::function<std::string_view()> log_level;  ///< in force
  /// Until the next reload or start; `level` is one of observe::log's.
  std::function<void(std::string_view level)> set_log_level;
};

/// GET (or HEAD) of
///   /         the compare page, and its files below /web/: web.hpp. With a token they are for everybody,
///             since a browser carries none there; they hold nothing that is not in the source
///   /livez    200 while the program runs at all
///   /readyz   200, or 503 with {"ready":false,"reason":…}: an upstream is reachable, the default model is
///   ready or
///             will load when first asked, and the program is not draining
///   /metrics  Prometheus' text format
///   /status   version, uptime, upstreams, models, and a summary of the configuration
///   /config   the configuration in force as YAML, secrets masked, each value with its origin
///   /models   and what is below it: models.hpp
///   /log-level  log_level.hpp
/// What needs questions to Qdrant is compare/pages.hpp's; answer.hpp tells them apart.
/// /livez and /readyz answer everybody, /readyz without the reason; for the others see gate.hpp.
/// Anything else: 404 {"error":…}; another method: 405.
AdminReply handle(const AdminRequest& request, const AdminContext& context);

}  // namespace qrerank::proxy::admin
