// Replies of JSON, as all pages of the admin listener write them. Private to this room.
#pragma once

#include <boost/json.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "proxy/admin/handler.hpp"

namespace qrerank::proxy::admin {

inline AdminReply json_reply(unsigned status, const boost::json::object& object) {
  return {status, "application/json", boost::json::serialize(object) + "\n", ""};
}

/// {"error":why}
inline AdminReply error_reply(unsigned status, std::string_view why) {
  return json_reply(status, {{"error", why}});
}

/// 405 where only `allow` is answered, as the header has it ("GET, HEAD") and in words.
inline AdminReply wrong_method(std::string allow, std::string_view in_words) {
  auto reply = error_reply(405, "only " + std::string(in_words) + " answered here");
  reply.allow = std::move(allow);
  return reply;
}

inline AdminReply only_read() {
  return wrong_method("GET, HEAD", "GET and HEAD are");
}

inline bool is_reading(std::string_view method) {
  return method == "GET" || method == "HEAD";
}

}  // namespace qrerank::proxy::admin
