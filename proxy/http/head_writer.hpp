// Heads going out: end-to-end fields as they came, in their order and spelling, without those that belong to
// the other connection (RFC 9110 §7.6.1). Pure: appends to a string.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proxy/http/head.hpp"
#include "proxy/http/message.hpp"

namespace qrerank::proxy::http {

/// The names that a message's Connection fields list: hop-by-hop besides the well-known ones.
[[nodiscard]] std::vector<std::string_view> connection_names(const std::vector<FieldView>& fields);

/// Should this field stay on its own connection? Framing fields and Expect are not judged here: they are the
/// caller's.
[[nodiscard]] bool is_hop_by_hop(FieldKind kind, std::string_view name,
                                 const std::vector<std::string_view>& connection_names);

/// A request to stream on: framing fields stay as they came; `Upgrade` and its `Connection` stay when
/// `facts.upgrade`. `drop_expect`:
/// the 100 was already sent.
void append_relayed_request(std::string& out, const RequestHead& head, const MessageFacts& facts,
                            bool drop_expect = false);

/// A request whose body is held: `length` is written in place of the framing that came, or at the end; not at
/// all when nullopt. Expect is left out.
void append_held_request(std::string& out, std::string_view method, std::string_view target,
                         const std::vector<FieldView>& fields, std::optional<std::uint64_t> length);

/// What the client's side of a response needs.
struct ResponseStyle {
  bool close = false;                ///< say `Connection: close`
  bool keep_alive_10 = false;        ///< say `Connection: keep-alive`: the client speaks 1.0 and asked
  bool drop_coding = false;          ///< the client cannot read chunks
  bool drop_length = false;          ///< 1xx and 204 have none
  bool upgrade = false;              ///< 101: `Connection: upgrade` and Upgrade stay
  std::string_view via = {};         ///< our name in an added Via; empty: none
  std::string_view request_id = {};  ///< in place of the response's own; empty: that stays
  const std::vector<Field>* added = nullptr;
};
void append_relayed_response(std::string& out, const ResponseHead& head, const ResponseStyle& style);

/// The head of a reply of ours, with content-length.
void append_reply_head(std::string& out, const Reply& reply, bool close, bool keep_alive_10);

/// What goes out behind that head: nothing where the request was a HEAD or the status has no body.
[[nodiscard]] std::string_view body_behind(const Reply& reply, bool to_head);

[[nodiscard]] std::vector<FieldView> views_of(const std::vector<Field>& fields);

}  // namespace qrerank::proxy::http
