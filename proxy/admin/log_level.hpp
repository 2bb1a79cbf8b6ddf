// /log-level: which lines are written, for the time being.
#pragma once

#include <string_view>

#include "proxy/admin/handler.hpp"

namespace qrerank::proxy::admin {

inline constexpr std::string_view kLogLevelPath = "/log-level";

/// GET  {"level":"debug","configured":"info"}
/// PUT  {"level":"debug"}: 200 with the same as GET. In force until the next reload or start.
/// 400 for another body, naming the levels; 405.
AdminReply answer_log_level(const AdminRequest& request, const AdminContext& context);

}  // namespace qrerank::proxy::admin
