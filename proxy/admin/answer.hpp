// All that the admin listener answers: what the program knows itself, and what Qdrant is asked for.
#pragma once

#include <memory>

#include "proxy/admin/compare/own_proxy.hpp"
#include "proxy/admin/handler.hpp"
#include "proxy/http/async.hpp"

namespace qrerank::proxy::admin {

/// handler.hpp's pages and compare/pages.hpp's. `context` must live until no coroutine runs any more; `proxy`
/// is kept alive.
http::Awaitable<AdminReply> answer(AdminRequest request, const AdminContext& context,
                                   std::shared_ptr<compare::OwnProxy> proxy);

}  // namespace qrerank::proxy::admin
