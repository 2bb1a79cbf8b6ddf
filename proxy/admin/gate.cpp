#include "proxy/admin/gate.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <string_view>

#include "proxy/admin/json_reply.hpp"
#include "proxy/http/message.hpp"

namespace qrerank::proxy::admin {
namespace {

// "name:7334" → "name", "[::1]:7334" → "::1", "name." → "name"; the port is whatever the client was told.
std::string_view host_of(std::string_view authority) {
  const auto bracket = authority.find(']');
  if (authority.starts_with('[') && bracket != std::string_view::npos) {
    const auto behind = authority.substr(bracket + 1);
    return behind.empty() || behind.starts_with(':') ? authority.substr(1, bracket - 1) : authority;
  }
  auto host = authority.substr(0, authority.rfind(':'));
  if (host.ends_with('.')) host.remove_suffix(1);
  return host;
}

// No name that somebody else could point anywhere.
bool is_address(std::string_view host) {
  const std::string text(host);
  in6_addr unused{};
  return ::inet_pton(AF_INET, text.c_str(), &unused) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), &unused) == 1;
}

bool is_own_name(std::string_view authority, const config::Admin& admin) {
  if (authority.empty()) return true;  // HTTP/1.0: no browser asks like that
  const auto host = host_of(authority);
  return is_address(host) || http::iequals(host, "localhost") ||
         http::iequals(host, host_of(admin.listen.host + ":")) ||
         std::ranges::any_of(admin.hosts, [&](const std::string& name) { return http::iequals(host, name); });
}

bool carries(const config::Secret& token, std::string_view authorization) {
  constexpr std::string_view kScheme = "Bearer ";
  if (authorization.size() <= kScheme.size() ||
      !http::iequals(authorization.substr(0, kScheme.size()), kScheme)) {
    return false;
  }
  authorization.remove_prefix(
      std::min(authorization.find_first_not_of(' ', kScheme.size()), authorization.size()));
  return token.matches(authorization);
}

bool is_of_another_origin(const AdminRequest& request) {
  if (is_reading(request.method) || request.origin.empty()) return false;
  const auto host = request.origin.find("://");
  return host == std::string::npos ||
         !http::iequals(std::string_view(request.origin).substr(host + 3), request.host);
}

}  // namespace

std::optional<AdminReply> turned_away(const AdminRequest& request, const config::Admin& admin) {
  if (!admin.token.empty()) {
    if (carries(admin.token, request.authorization)) return std::nullopt;
    auto reply = error_reply(401, "this page needs the admin token: Authorization: Bearer TOKEN");
    reply.authenticate = "Bearer realm=\"qrerank\"";
    return reply;
  }
  if (!is_own_name(request.host, admin)) {
    return error_reply(421, "Host names no address of this listener; admin.hosts adds names");
  }
  if (is_of_another_origin(request)) {
    return error_reply(403, "asked by a page of another origin");
  }
  return std::nullopt;
}

}  // namespace qrerank::proxy::admin
