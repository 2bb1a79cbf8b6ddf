#include "proxy/admin/models.hpp"

#include <algorithm>
#include <boost/json.hpp>
#include <optional>

#include "proxy/admin/json_reply.hpp"
#include "proxy/route/endpoints.hpp"

namespace qrerank::proxy::admin {
namespace {

namespace json = boost::json;
using reranker::ModelState;
using reranker::ModelStatus;

constexpr std::string_view kModels = "/models";

// What a Document's `model` may say besides the name; of a model that judges: nothing.
json::array names_of(const ModelStatus& model, const AdminContext& context) {
  json::array names;
  const auto config = context.config();
  const auto* embedding = config::find_embedding_model(*config, model.name);
  if (model.kind != reranker::ModelKind::embedding || embedding == nullptr) return names;
  if (!embedding->hub.empty()) names.push_back(json::string(embedding->hub));
  for (const auto& name : embedding->names) names.push_back(json::string(name));
  return names;
}

json::object as_json(const ModelStatus& model, const AdminContext& context) {
  json::object shown{{"name", model.name},
                     {"kind", std::string(reranker::to_string(model.kind))},
                     {"names", names_of(model, context)},
                     {"state", std::string(reranker::to_string(model.state))},
                     {"detail", model.detail},
                     {"family", model.family},
                     {"dtype", model.dtype},
                     {"device", model.device},
                     {"bytes", model.bytes},
                     {"replicas", model.replicas},
                     {"waiting", model.waiting},
                     {"dimensions", model.width > 0 ? json::value(model.width) : json::value(nullptr)},
                     {"idle_seconds", model.idle ? json::value(model.idle->count()) : json::value(nullptr)}};
  if (model.loading) {
    shown["load_read"] = model.loading->read;
    shown["load_total"] = model.loading->total;
  }
  return shown;
}

std::optional<ModelStatus> find(const AdminContext& context, const std::string& name) {
  auto all = context.models();
  const auto found = std::ranges::find(all, name, &ModelStatus::name);
  return found == all.end() ? std::nullopt : std::optional(std::move(*found));
}

AdminReply order(const std::string& name, bool load, const AdminContext& context) {
  if (context.draining()) {
    return error_reply(409, "the program is stopping");
  }
  if (!(load ? context.load : context.unload)(name)) {
    return error_reply(409, "this model is part of the program: it is always there");
  }
  const auto model = find(context, name);
  if (!model) {
    return error_reply(404, "no such model; /models lists them");  // a reload has just taken it away
  }
  const bool done = model->state == (load ? ModelState::ready : ModelState::unloaded);
  return json_reply(done ? 200 : 202, as_json(*model, context));
}

}  // namespace

bool is_models_path(std::string_view path) {
  return path == kModels || (path.starts_with(kModels) && path[kModels.size()] == '/');
}

AdminReply answer_models(std::string_view method, std::string_view path, const AdminContext& context) {
  const bool reading = is_reading(method);
  if (path == kModels) {
    return reading ? json_reply(200, {{"models", models_as_json(context)}}) : only_read();
  }
  const auto below = path.substr(kModels.size() + 1);
  const auto slash = below.find('/');
  const auto name = route::percent_decoded(below.substr(0, slash), false);
  const auto model = find(context, name);
  if (!model) {
    return error_reply(404, "no such model; /models lists them");
  }
  if (slash == std::string_view::npos) {
    return reading ? json_reply(200, as_json(*model, context)) : only_read();
  }
  const auto action = below.substr(slash + 1);
  if (action != "load" && action != "unload") {
    return error_reply(404, "a model can be asked to load and to unload, nothing else");
  }
  return method == "POST" ? order(name, action == "load", context) : wrong_method("POST", "POST is");
}

json::array models_as_json(const AdminContext& context) {
  json::array models;
  for (const auto& model : context.models()) {
    models.push_back(as_json(model, context));
  }
  return models;
}

}  // namespace qrerank::proxy::admin
