// The rows of admin.*: our own endpoints.
#include "proxy/config/rows.hpp"

namespace qrerank::proxy::config::rows {

void add_admin(Keys& keys) {
  keys.push_back(values::endpoint(
      "admin", "listen", "Where health, metrics and status are served; keep it off the public network.",
      QRERANK_CONFIG(Endpoint, admin.listen)));
  keys.push_back(live(defaulting_to(
      values::token(
          "admin", "token",
          "What all pages but `/livez` and `/readyz` ask for as `Authorization: Bearer TOKEN`. On the "
          "command line others can see it: rather a variable, or `token_file`.",
          QRERANK_CONFIG(Secret, admin.token)),
      "none")));
  keys.push_back(live(defaulting_to(values::text(ValueType::path, "admin", "token_file", "a file",
                                                 "Holds the token, and nothing else but a newline.",
                                                 QRERANK_CONFIG(std::string, admin.token_file)),
                                    "none")));
  keys.push_back(live(values::boolean(
      "admin", "open", "Whether `admin.listen` may be reached from other machines without a token.",
      QRERANK_CONFIG(bool, admin.open))));
  keys.push_back(live(defaulting_to(
      values::host_names(
          "admin", "hosts",
          "Names that a request's `Host` may hold besides addresses, `localhost` and the name in "
          "`admin.listen`; asked only where there is no token, against pages that a browser was "
          "led to by a false name.",
          QRERANK_CONFIG(std::vector<std::string>, admin.hosts)),
      "none")));
}

}  // namespace qrerank::proxy::config::rows
