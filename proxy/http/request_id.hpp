// The name under which a request's log lines are found: the client's own `x-request-id` where it is sane,
// else one made here, once a request. It travels upstream and back where proxy.request_id says so.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace qrerank::proxy::http {

inline constexpr std::string_view kRequestIdName = "x-request-id";

/// 1 to 128 letters, digits and `-_.:/+=@`: safe in headers, logs and terminals.
[[nodiscard]] bool is_sane_request_id(std::string_view id);

/// Random, and quick. Not for secrets.
[[nodiscard]] std::uint64_t random_bits();

/// All 16 digits, lower case.
void append_hex(std::string& out, std::uint64_t bits);

/// 32 hexadecimal digits, random per call. Not a secret.
[[nodiscard]] std::string new_request_id();

/// One request's id. Made when it is first asked for, so that a request without log lines costs nothing.
class RequestId {
 public:
  /// `client_id` is empty when the client sent none; one that is not sane counts as none.
  explicit RequestId(std::string_view client_id = {});

  /// The same text at every call. Not for two threads at once.
  [[nodiscard]] const std::string& text() const;

 private:
  mutable std::string text_;
};

}  // namespace qrerank::proxy::http
