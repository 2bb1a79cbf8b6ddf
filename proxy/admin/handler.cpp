#include "proxy/admin/handler.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "proxy/admin/gate.hpp"
#include "proxy/admin/json_reply.hpp"
#include "proxy/admin/log_level.hpp"
#include "proxy/admin/models.hpp"
#include "proxy/admin/web.hpp"
#include "proxy/config/print.hpp"
#include "proxy/observe/registry.hpp"

namespace qrerank::proxy::admin {
namespace {

namespace json = boost::json;

// Why the program is not ready; empty when it is.
std::string unready_reason(const AdminContext& context) {
  if (context.draining()) {
    return "draining";
  }
  const auto upstreams = context.upstreams();
  if (std::ranges::none_of(upstreams, &upstream::NodeStatus::reachable)) {
    const auto said = std::ranges::find_if(upstreams, [](const auto& node) { return !node.detail.empty(); });
    return "no upstream is reachable" + (said == upstreams.end() ? "" : ": " + said->detail);
  }
  const auto& name = context.config()->rerank.default_model;
  const auto models = context.models();
  const auto model = std::ranges::find(models, name, &reranker::ModelStatus::name);
  if (model == models.end()) {
    return "the default model " + name + " is not there";
  }
  // An unloaded model loads when it is first asked for.
  if (model->state != reranker::ModelState::ready && model->state != reranker::ModelState::unloaded) {
    return "the default model " + name + " is " + std::string(reranker::to_string(model->state)) +
           (model->detail.empty() ? "" : ": " + model->detail);
  }
  return "";
}

// A probe carries no token: it learns whether, not why.
AdminReply readyz_for_everybody(const AdminContext& context) {
  const bool ready = unready_reason(context).empty();
  return json_reply(ready ? 200 : 503, {{"ready", ready}});
}

AdminReply readyz(const AdminContext& context) {
  const auto reason = unready_reason(context);
  if (reason.empty()) {
    return readyz_for_everybody(context);
  }
  return json_reply(503, {{"ready", false}, {"reason", reason}});
}

AdminReply status(const AdminContext& context) {
  json::array upstreams;
  for (const auto& upstream : context.upstreams()) {
    upstreams.push_back(json::object{{"url", upstream.url},
                                     {"state", std::string(to_string(upstream.state))},
                                     {"reachable", upstream.reachable},
                                     {"detail", upstream.detail},
                                     {"outstanding", upstream.outstanding},
                                     {"connections", upstream.connections},
                                     {"failures", upstream.failures},
                                     {"ejections", upstream.ejections}});
  }
  const auto config = context.config();
  json::array rules;
  for (const auto& rule : config->collections) {
    rules.push_back(json::string(rule.pattern));
  }
  const auto& defaults = config->rerank.defaults;
  json::object summary{
      {"proxy_listen", config::to_string(config->proxy.listen)},
      {"default_model", config->rerank.default_model},
      {"max_top_k", config->rerank.limits.max_top_k},
      {"timeout_ms", defaults.timeout_ms ? json::value(*defaults.timeout_ms) : json::value(nullptr)},
      {"collection_rules", std::move(rules)}};
  return json_reply(200, {{"version", context.version},
                          {"uptime_seconds", context.uptime().count()},
                          {"draining", context.draining()},
                          {"upstreams", std::move(upstreams)},
                          {"models", models_as_json(context)},
                          {"config", std::move(summary)}});
}

struct Page {
  std::string_view path;
  AdminReply (*answer)(const AdminContext&);
  AdminReply (*answer_for_everybody)(const AdminContext&) = nullptr;  ///< to whom the gate turns away
};

AdminReply livez(const AdminContext& /*context*/) {
  return json_reply(200, {{"live", true}});
}

constexpr std::array kPages = {
    Page{"/livez", &livez, &livez},
    Page{"/readyz", &readyz, &readyz_for_everybody},
    Page{"/metrics",
         [](const AdminContext& context) -> AdminReply {
           return {200, std::string(observe::Registry::kContentType), context.metrics(), ""};
         }},
    Page{"/status", &status},
    Page{"/config",
         [](const AdminContext& context) -> AdminReply {
           return {200, "application/yaml", config::print_with_origins(*context.config()), ""};
         }},
};

}  // namespace

AdminReply handle(const AdminRequest& request, const AdminContext& context) {
  const auto path = std::string_view(request.target).substr(0, request.target.find('?'));
  const auto page = std::ranges::find(kPages, path, &Page::path);
  const auto refusal = turned_away(request, context.config()->admin);
  if (is_web_path(path) && (!refusal || refusal->status == 401)) {
    return answer_web(path, request);
  }
  if (refusal && (page == kPages.end() || page->answer_for_everybody == nullptr)) {
    return *refusal;
  }
  if (is_models_path(path)) {
    return answer_models(request.method, path, context);
  }
  if (path == kLogLevelPath) return answer_log_level(request, context);
  if (page == kPages.end()) {
    return error_reply(
        404,
        "no such page; there are / (the compare page), /livez, /readyz, /metrics, /status, /config, "
        "/log-level and /models");
  }
  if (!is_reading(request.method)) return only_read();
  return (refusal ? page->answer_for_everybody : page->answer)(context);
}

}  // namespace qrerank::proxy::admin
