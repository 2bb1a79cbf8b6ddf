#include "proxy/admin/log_level.hpp"

#include <boost/json.hpp>
#include <optional>

#include "proxy/admin/json_reply.hpp"
#include "proxy/observe/log_line.hpp"

namespace qrerank::proxy::admin {
namespace {

namespace json = boost::json;
namespace log = observe::log;

// The level that a body names; nothing for another body.
std::optional<log::Level> wanted(const std::string& body) {
  boost::system::error_code error;
  const auto parsed = json::parse(body, error);
  const auto* object = error ? nullptr : parsed.if_object();
  if (object == nullptr || object->size() != 1) return std::nullopt;
  const auto* said = object->if_contains("level");
  if (said == nullptr || !said->is_string()) return std::nullopt;
  const std::string_view name(said->get_string().data(), said->get_string().size());
  const auto level = log::level_named(name);
  return to_string(level) == name ? std::optional(level) : std::nullopt;
}

}  // namespace

AdminReply answer_log_level(const AdminRequest& request, const AdminContext& context) {
  if (request.method == "PUT") {
    const auto level = wanted(request.body);
    if (!level)
      return error_reply(400, R"(the body must be {"level": L}, L one of trace, debug, info, warn, error)");
    context.set_log_level(to_string(*level));
  } else if (!is_reading(request.method)) {
    return wrong_method("GET, HEAD, PUT", "GET, HEAD and PUT are");
  }
  return json_reply(200, {{"level", context.log_level()}, {"configured", context.config()->log.level}});
}

}  // namespace qrerank::proxy::admin
