#include "proxy/http/head_writer.hpp"

#include <algorithm>

#include "proxy/http/request_id.hpp"

namespace qrerank::proxy::http {
namespace {

void append_line(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

// The field as it stood, whitespace after the colon included: both views lie in one line of the same bytes.
void append_line_as_it_came(std::string& out, const FieldView& field) {
  const char* end = field.value.data() + field.value.size();
  out.append(field.name.data(), static_cast<std::size_t>(end - field.name.data())).append("\r\n");
}

void append_request_line(std::string& out, std::string_view method, std::string_view target) {
  out.append(method).append(" ").append(target).append(" HTTP/1.1\r\n");
}

void append_status_line(std::string& out, unsigned status, std::string_view reason) {
  out.append("HTTP/1.1 ").append(std::to_string(status)).append(" ").append(reason).append("\r\n");
}

bool has_name(const std::vector<Field>& fields, std::string_view name) {
  return std::ranges::any_of(fields, [&](const Field& field) { return iequals(field.name, name); });
}

}  // namespace

std::vector<std::string_view> connection_names(const std::vector<FieldView>& fields) {
  // A client must not take away what a proxy in front of us said about it, nor we what we add.
  static constexpr std::string_view kKept[] = {"Via", "Forwarded", "X-Forwarded-For", "X-Forwarded-Proto",
                                               "X-Forwarded-Host"};
  std::vector<std::string_view> names;
  for (const FieldView& field : fields) {
    if (kind_of(field.name) != FieldKind::connection) continue;
    for_each_token(field.value, [&](std::string_view token) {
      // The usual options name no field of their own, or one that is known to be hop-by-hop.
      if (iequals(token, "close") || iequals(token, "keep-alive") || iequals(token, "upgrade")) return;
      const auto kept = [&](std::string_view name) { return iequals(token, name); };
      if (std::none_of(std::begin(kKept), std::end(kKept), kept)) names.push_back(token);
    });
  }
  return names;
}

bool is_hop_by_hop(FieldKind kind, std::string_view name, const std::vector<std::string_view>& names) {
  switch (kind) {
    case FieldKind::connection:
    case FieldKind::upgrade:
    case FieldKind::hop_by_hop:
      return true;
    // Naming these in Connection must not take a request's framing or destination away.
    case FieldKind::content_length:
    case FieldKind::transfer_encoding:
    case FieldKind::host:
      return false;
    case FieldKind::expect:
    case FieldKind::other:
      break;
  }
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view named) { return iequals(named, name); });
}

void append_relayed_request(std::string& out, const RequestHead& head, const MessageFacts& facts,
                            bool drop_expect) {
  append_request_line(out, head.method, head.target);
  const auto names = connection_names(head.fields);
  for (const FieldView& field : head.fields) {
    const FieldKind kind = kind_of(field.name);
    if (kind == FieldKind::upgrade && facts.upgrade) {
      append_line_as_it_came(out, field);
      out.append("Connection: Upgrade\r\n");
      continue;
    }
    // RFC 9110 §10.1.1: a server ignores the expectation of an HTTP/1.0 client, who could not read the 100.
    if (kind == FieldKind::expect && (drop_expect || head.version < 11)) continue;
    if (!is_hop_by_hop(kind, field.name, names)) append_line_as_it_came(out, field);
  }
  out.append("\r\n");
}

void append_held_request(std::string& out, std::string_view method, std::string_view target,
                         const std::vector<FieldView>& fields, std::optional<std::uint64_t> length) {
  append_request_line(out, method, target);
  const auto names = connection_names(fields);
  for (const FieldView& field : fields) {
    const FieldKind kind = kind_of(field.name);
    if (kind == FieldKind::expect) continue;
    if (kind == FieldKind::content_length || kind == FieldKind::transfer_encoding) {
      if (length) {
        append_line(out, kind == FieldKind::content_length ? field.name : "content-length",
                    std::to_string(*length));
        length.reset();
      }
      continue;
    }
    if (!is_hop_by_hop(kind, field.name, names)) append_line(out, field.name, field.value);
  }
  if (length) append_line(out, "content-length", std::to_string(*length));
  out.append("\r\n");
}

void append_relayed_response(std::string& out, const ResponseHead& head, const ResponseStyle& style) {
  append_status_line(out, head.status, head.reason);
  const auto names = connection_names(head.fields);
  for (const FieldView& field : head.fields) {
    const FieldKind kind = kind_of(field.name);
    if (kind == FieldKind::upgrade && style.upgrade) {
      append_line_as_it_came(out, field);
      continue;
    }
    if (kind == FieldKind::content_length && style.drop_length) continue;
    if (kind == FieldKind::transfer_encoding && (style.drop_coding || style.drop_length)) continue;
    if (style.added != nullptr && has_name(*style.added, field.name)) continue;
    if (!style.request_id.empty() && iequals(field.name, kRequestIdName)) continue;
    if (!is_hop_by_hop(kind, field.name, names)) append_line_as_it_came(out, field);
  }
  if (style.added != nullptr) {
    for (const Field& field : *style.added) append_line(out, field.name, field.value);
  }
  if (!style.request_id.empty()) append_line(out, kRequestIdName, style.request_id);
  if (!style.via.empty()) out.append("Via: 1.1 ").append(style.via).append("\r\n");
  if (style.upgrade) {
    out.append("connection: upgrade\r\n");
  } else if (style.close) {
    out.append("connection: close\r\n");
  } else if (style.keep_alive_10) {
    out.append("connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

void append_reply_head(std::string& out, const Reply& reply, bool close, bool keep_alive_10) {
  append_status_line(out, reply.status, reply.reason.empty() ? reason_phrase(reply.status) : reply.reason);
  for (const Field& field : reply.fields) {
    const FieldKind kind = kind_of(field.name);
    if (kind == FieldKind::content_length || kind == FieldKind::transfer_encoding) continue;
    if (!is_hop_by_hop(kind, field.name, {})) append_line(out, field.name, field.value);
  }
  if (!is_bodyless(reply.status)) append_line(out, "content-length", std::to_string(reply.body.size()));
  if (close) {
    out.append("connection: close\r\n");
  } else if (keep_alive_10) {
    out.append("connection: keep-alive\r\n");
  }
  out.append("\r\n");
}

std::string_view body_behind(const Reply& reply, bool to_head) {
  return to_head || is_bodyless(reply.status) ? std::string_view() : std::string_view(reply.body);
}

std::vector<FieldView> views_of(const std::vector<Field>& fields) {
  std::vector<FieldView> views;
  views.reserve(fields.size());
  for (const Field& field : fields) views.push_back({field.name, field.value});
  return views;
}

}  // namespace qrerank::proxy::http
