// The name under which a request's log lines are found: the client's own `x-request-id` where it is sane.
#pragma once

#include <string>
#include <string_view>

namespace qrerank::proxy::observe {

/// 1 to 128 letters, digits and `-_.:/+=@`: safe in headers, logs and terminals.
[[nodiscard]] bool is_sane_request_id(std::string_view id);

/// 32 hexadecimal digits, random per call. Not a secret.
[[nodiscard]] std::string new_request_id();

/// The client's id if it is sane, else a new one. `client_id` is empty when it sent none.
[[nodiscard]] std::string request_id_from(std::string_view client_id);

}  // namespace qrerank::proxy::observe
