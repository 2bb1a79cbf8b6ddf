// Who may ask the admin listener: its token, and for whom browsers ask. Pure.
#pragma once

#include <optional>
#include <string>

#include "proxy/admin/handler.hpp"
#include "proxy/config/config.hpp"

namespace qrerank::proxy::admin {

/// Nothing when the request may go on. Else
///   401  there is a token, and the request does not carry it (`Authorization: Bearer TOKEN`)
///   421  there is none, and `Host` is neither an address, nor localhost, nor a name under admin.listen or
///        admin.hosts: a page whose name was made to point here (DNS rebinding) asks by its own name
///   403  something is to be changed by a page of another origin than the listener's own
std::optional<AdminReply> turned_away(const AdminRequest& request, const config::Admin& admin);

}  // namespace qrerank::proxy::admin
