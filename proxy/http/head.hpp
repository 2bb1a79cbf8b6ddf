// Heads of messages: where one ends, its parts, and how its body is framed. Pure: bytes in, views out.
// Beast's parser does the reading; what it lets through and an intermediary must not (RFC 9112 §5.2, §6.3,
// §11.2) is refused here: obs-fold, bare LF, transfer codings other than chunked, repeated lengths, a missing
// or impossible Host, a target of no form.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/http/message.hpp"
#include "proxy/http/target.hpp"

namespace qrerank::proxy::http {

/// Why a head is refused, and the status a client gets for it.
struct HeadError {
  unsigned status = 400;
  std::string_view why;
};

/// Finds the end of a head in bytes that arrive piece by piece, looking at each byte once.
class HeadScan {
 public:
  enum class Result { need_more, complete, bare_lf };
  /// `bytes` begins at the head's first byte each time and only ever grows.
  Result scan(std::string_view bytes);
  /// After `complete`: the head's size including the empty line.
  [[nodiscard]] std::size_t size() const { return line_; }

 private:
  std::size_t line_ = 0;     // where the current line begins
  std::size_t scanned_ = 0;  // bytes before this hold no LF that was not looked at
};

struct ResponseHead {
  int version = 11;
  unsigned status = 0;
  std::string_view reason;
  std::vector<FieldView> fields;
};

/// `bytes` is one whole head with its empty line. On success `head` points into it.
[[nodiscard]] std::optional<HeadError> parse_head(std::string_view bytes, RequestHead& head);
[[nodiscard]] std::optional<HeadError> parse_head(std::string_view bytes, ResponseHead& head);

enum class Framing : std::uint8_t { none, length, chunked, until_close };

/// What the fields say about the message's body and connection.
struct MessageFacts {
  Framing framing = Framing::none;
  std::uint64_t length = 0;  ///< with Framing::length
  bool keep_alive = true;
  bool expect_continue = false;
  bool upgrade = false;  ///< an Upgrade that Connection names, and not to h2c
  bool has_host = false;
  Target target = {};  ///< of a request; views into its head
};

[[nodiscard]] tl::expected<MessageFacts, HeadError> examine(const RequestHead& head);
/// `to_head`: the request was HEAD, so there is no body whatever the fields say.
[[nodiscard]] tl::expected<MessageFacts, HeadError> examine(const ResponseHead& head, bool to_head);

/// The fields that an intermediary looks at.
enum class FieldKind : std::uint8_t {
  other,
  connection,
  content_length,
  transfer_encoding,
  upgrade,
  expect,
  host,
  hop_by_hop  ///< Keep-Alive, TE, Proxy-Connection, Proxy-Authenticate, Proxy-Authorization, HTTP2-Settings
};
[[nodiscard]] FieldKind kind_of(std::string_view name);

/// Calls `use(token)` for each non-empty element of a comma-separated list.
template <class Use>
void for_each_token(std::string_view list, Use use) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    std::string_view token = list.substr(0, comma);
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
    while (!token.empty() && (token.front() == ' ' || token.front() == '\t')) token.remove_prefix(1);
    while (!token.empty() && (token.back() == ' ' || token.back() == '\t')) token.remove_suffix(1);
    if (!token.empty()) use(token);
  }
}

}  // namespace qrerank::proxy::http
