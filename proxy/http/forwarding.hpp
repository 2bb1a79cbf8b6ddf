// What a request's head gains or loses because we stand between: the absolute form and its Host, a missing
// Host, Via, X-Forwarded-*, Max-Forwards. Pure. Hop-by-hop fields are head_writer.hpp's.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/config/config.hpp"
#include "proxy/http/head.hpp"
#include "proxy/http/message.hpp"

namespace qrerank::proxy::http {

/// The name under which we stand in Via.
inline constexpr std::string_view kViaName = "qrerank";

/// The connection that a request came on, and the settings.
struct Hop {
  const config::Proxy& config;
  std::string_view peer;             ///< the client's address without its port
  bool tls = false;                  ///< the client's side is encrypted
  std::string_view upstream_host;    ///< Host for a request that has none
  std::string_view request_id = {};  ///< put in place of the request's own; empty: it stays as it is
};

/// Lines that fields of a head were made from; they live as long as the head is used.
using AddedLines = std::vector<std::string>;

/// A field whose name and value lie in `line`, as those of a parsed head do. It lives as long as `line`,
/// unmoved.
[[nodiscard]] FieldView make_line(std::string& line, std::string_view name, std::string_view value);

/// For a field that we add ourselves: a client that names it in `Connection` must not take it away from the
/// upstream. Where it does, one Connection field without it, made in `line`, stands for those that came.
void take_out_of_connection(RequestHead& head, std::string_view name, std::string& line);

/// Rewrites `head` in place. A reply is given when the request must not go any further (Max-Forwards: 0, or a
/// Max-Forwards that cannot be read: status 400, after which the connection ends).
[[nodiscard]] std::optional<Reply> prepare_forwarding(RequestHead& head, const MessageFacts& facts,
                                                      const Hop& hop, AddedLines& lines);

}  // namespace qrerank::proxy::http
