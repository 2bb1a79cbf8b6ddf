// HTTP messages as plain values: what the router, the flow and the tests see of a request and say in a reply.
// No sockets and no parsing here (head.hpp), no hop-by-hop rules (head_writer.hpp).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace qrerank::proxy::http {

/// A header field that somebody owns. Spelling is kept; names compare without case.
struct Field {
  std::string name;
  std::string value;
  bool operator==(const Field&) const = default;
};

/// A header field inside the bytes of a head that lie elsewhere.
struct FieldView {
  std::string_view name;
  std::string_view value;  ///< without the whitespace around it
  bool operator==(const FieldView&) const = default;
};

/// ASCII comparison without case, as header names and list tokens compare.
[[nodiscard]] bool iequals(std::string_view a, std::string_view b);

/// A request's head as it came: nothing decoded, nothing dropped, fields in their order and spelling.
/// All views point into the connection's buffer and live until the request is answered.
struct RequestHead {
  std::string_view method;
  std::string_view target;  ///< as it came: origin-form, absolute-form or `*`
  int version = 11;         ///< 10 or 11
  std::vector<FieldView> fields;

  /// The first field of that name, or null.
  [[nodiscard]] const FieldView* find(std::string_view name) const;
};

/// Is an answer of that status without a body, whatever its fields say? (RFC 9110 §6.4.1)
[[nodiscard]] constexpr bool is_bodyless(unsigned status) {
  return status / 100 == 1 || status == 204 || status == 304;
}

/// What was done for an answer, for logs and traces. Not sent.
struct Told {
  std::string model;               ///< that judged, or would have
  std::string reason;              ///< why it did not
  std::size_t candidates = 0;      ///< that it judged
  std::string_view upstream = {};  ///< the server that was asked first, as configured
};

/// An answer that we write ourselves. The session adds `content-length` and what belongs to the connection;
/// framing and hop-by-hop fields that stand in `fields` are left out.
struct Reply {
  unsigned status = 200;
  std::string reason;  ///< empty: the usual phrase
  std::vector<Field> fields;
  std::string body;
  /// What the answer is, for the observer: a literal ("reranked"), or empty. Not sent.
  std::string_view kind = {};
  /// Why it is an error that nobody asked for, for log lines; empty when nothing failed. Not sent.
  std::string failure = {};
  Told told = {};
};

/// The usual phrase for a status ("Bad Gateway"), "Unknown" for one without.
[[nodiscard]] std::string_view reason_phrase(unsigned status);

/// An error in Qdrant's own shape: `{"status":{"error":"…"},"time":0.0}` with content-type application/json.
[[nodiscard]] Reply error_reply(unsigned status, std::string_view message);

}  // namespace qrerank::proxy::http
