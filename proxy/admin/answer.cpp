#include "proxy/admin/answer.hpp"

#include <utility>

#include "proxy/admin/compare/pages.hpp"
#include "proxy/admin/gate.hpp"

namespace qrerank::proxy::admin {

http::Awaitable<AdminReply> answer(AdminRequest request, const AdminContext& context,
                                   std::shared_ptr<compare::OwnProxy> proxy) {
  const auto path = std::string_view(request.target).substr(0, request.target.find('?'));
  if (!compare::is_compare_path(path)) co_return handle(request, context);
  auto refusal = turned_away(request, context.config()->admin);
  if (refusal) co_return *std::move(refusal);
  auto reply = co_await compare::answer(std::move(request), context, std::move(proxy));
  co_return reply;
}

}  // namespace qrerank::proxy::admin
