// What the compare page asks for. Each question goes through the proxy's own listener, as a client's would.
#pragma once

#include <memory>
#include <string_view>

#include "proxy/admin/compare/own_proxy.hpp"
#include "proxy/admin/handler.hpp"

namespace qrerank::proxy::admin::compare {

/// True of /compare, /collections and what is below that.
bool is_compare_path(std::string_view path);

/// GET /compare              what the form offers: {"proxy","max_top_k","default_model","instructions",…}
/// GET /collections          {"collections":[…names]}
/// GET /collections/{name}   collections.hpp's description, and "sample": points picked at random
/// POST /compare             {"vector":side,"reranked"?:side}; search_pair.hpp tells both shapes
/// The request's `api-key` goes to Qdrant and nowhere else. 400 where the body is not what it should be;
/// 502 {"error":…,"status":Qdrant's own} where Qdrant did not answer with what was asked for, and without
/// "status" where it could not be asked. The sides of a comparison carry their own status.
/// Comes behind the gate. `proxy` is kept alive by the coroutine.
http::Awaitable<AdminReply> answer(AdminRequest request, const AdminContext& context,
                                   std::shared_ptr<OwnProxy> proxy);

}  // namespace qrerank::proxy::admin::compare
