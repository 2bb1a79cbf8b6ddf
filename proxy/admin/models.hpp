// /models: the configured models, and orders to load or unload one. What to do with an order is the scorer's.
#pragma once

#include <boost/json/fwd.hpp>
#include <string_view>

#include "proxy/admin/handler.hpp"

namespace qrerank::proxy::admin {

/// True of /models and whatever is below it.
bool is_models_path(std::string_view path);

/// GET /models                  {"models":[…]}, as /status has them
/// GET /models/{name}           one of them
/// POST /models/{name}/load     200 with the model when it is ready, 202 with it when it will be
/// POST /models/{name}/unload   200 when it is unloaded, 202 when it will be: what runs on it may finish
/// 404 for an unknown name, 409 for a model that is always there or while the program drains, 405.
/// The order is given and not waited for: a load that fails (no room, a broken file) shows in the model's
/// state. `path` is percent-encoded and without a query string.
AdminReply answer_models(std::string_view method, std::string_view path, const AdminContext& context);

/// All models, each as an object.
boost::json::array models_as_json(const AdminContext& context);

}  // namespace qrerank::proxy::admin
