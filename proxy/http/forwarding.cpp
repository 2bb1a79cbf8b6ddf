#include "proxy/http/forwarding.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>

#include "proxy/http/request_id.hpp"

namespace qrerank::proxy::http {
namespace {

// Lines are made one by one; a reallocation would move those that fields already point into.
constexpr std::size_t kMostLines = 9;

FieldView add_line(AddedLines& lines, std::string_view name, std::string_view value) {
  return make_line(lines.emplace_back(), name, value);
}

FieldView* find(RequestHead& head, std::string_view name) {
  for (FieldView& field : head.fields) {
    if (iequals(field.name, name)) return &field;
  }
  return nullptr;
}

void remove(RequestHead& head, std::string_view name) {
  std::erase_if(head.fields, [&](const FieldView& field) { return iequals(field.name, name); });
}

// RFC 9112 §3.2.2: the target's authority is the Host, whatever the field said, and an origin server is sent
// the path alone.
void use_origin_form(RequestHead& head, const Target& target, AddedLines& lines) {
  const FieldView host = add_line(lines, "Host", target.authority);
  if (FieldView* field = find(head, "Host")) {
    if (field->value != target.authority) *field = host;
  } else {
    head.fields.insert(head.fields.begin(), host);
  }
  if (target.path.starts_with('/')) {
    head.target = target.path;
  } else if (target.path.empty()) {
    head.target = head.method == "OPTIONS" ? "*" : "/";
  } else {
    head.target = lines.emplace_back("/" + std::string(target.path));
  }
}

std::optional<Reply> count_forwards(RequestHead& head, AddedLines& lines) {
  FieldView* field = find(head, "Max-Forwards");
  if (field == nullptr) return std::nullopt;
  const bool twice = std::any_of(head.fields.begin(), head.fields.end(), [&](const FieldView& other) {
    return &other != field && iequals(other.name, "Max-Forwards");
  });
  std::uint32_t left = 0;
  const char* end = field->value.data() + field->value.size();
  const auto [stop, bad] = std::from_chars(field->value.data(), end, left);
  const bool number = !field->value.empty() && stop == end && bad != std::errc::invalid_argument;
  if (twice || !number) return error_reply(400, "invalid Max-Forwards");
  if (bad == std::errc::result_out_of_range) {
    left = (std::numeric_limits<std::uint32_t>::max)();
  } else if (left == 0) {
    // RFC 9110 §9.3.8 would have a TRACE reflected; keys would come back in a body that a script can read.
    if (head.method == "TRACE") return error_reply(405, "TRACE is not answered here: it would echo keys");
    return Reply{};
  } else {
    --left;
  }
  *field = add_line(lines, "Max-Forwards", std::to_string(left));
  return std::nullopt;
}

void add_forwarded(RequestHead& head, const Hop& hop, AddedLines& lines) {
  const bool replace = hop.config.x_forwarded == config::XForwarded::replace;
  std::string chain;
  for (const FieldView& field : head.fields) {
    if (!replace && iequals(field.name, "X-Forwarded-For")) chain.append(field.value).append(", ");
  }
  chain.append(hop.peer);
  remove(head, "X-Forwarded-For");
  if (replace) {
    remove(head, "X-Forwarded-Proto");
    remove(head, "X-Forwarded-Host");
  }
  head.fields.push_back(add_line(lines, "X-Forwarded-For", chain));
  if (head.find("X-Forwarded-Proto") == nullptr) {
    head.fields.push_back(add_line(lines, "X-Forwarded-Proto", hop.tls ? "https" : "http"));
  }
  const FieldView* host = head.find("Host");
  if (host != nullptr && head.find("X-Forwarded-Host") == nullptr) {
    head.fields.push_back(add_line(lines, "X-Forwarded-Host", host->value));
  }
}

bool is_connection(const FieldView& field) {
  return kind_of(field.name) == FieldKind::connection;
}

}  // namespace

FieldView make_line(std::string& line, std::string_view name, std::string_view value) {
  line.assign(name).append(": ").append(value);
  return {std::string_view(line).substr(0, name.size()), std::string_view(line).substr(name.size() + 2)};
}

void take_out_of_connection(RequestHead& head, std::string_view name, std::string& line) {
  bool named = false;
  std::string others;
  for (const FieldView& field : head.fields) {
    if (!is_connection(field)) continue;
    for_each_token(field.value, [&](std::string_view token) {
      if (iequals(token, name)) {
        named = true;
      } else {
        others.append(others.empty() ? "" : ", ").append(token);
      }
    });
  }
  if (!named) return;
  std::erase_if(head.fields, is_connection);
  head.fields.push_back(make_line(line, "Connection", others));
}

std::optional<Reply> prepare_forwarding(RequestHead& head, const MessageFacts& facts, const Hop& hop,
                                        AddedLines& lines) {
  lines.clear();
  const bool counted = head.method == "TRACE" || head.method == "OPTIONS";
  const bool plain = facts.target.form != TargetForm::absolute && facts.has_host && !counted;
  const bool adds = hop.config.via || hop.config.x_forwarded != config::XForwarded::off;
  if (plain && !adds && hop.request_id.empty()) return std::nullopt;
  lines.reserve(kMostLines);
  if (facts.target.form == TargetForm::absolute) {
    use_origin_form(head, facts.target, lines);
  } else if (!facts.has_host) {
    head.fields.insert(head.fields.begin(), add_line(lines, "Host", hop.upstream_host));
  }
  if (counted) {
    if (auto answer = count_forwards(head, lines)) return answer;
  }
  if (!hop.request_id.empty()) {
    remove(head, kRequestIdName);
    take_out_of_connection(head, kRequestIdName, lines.emplace_back());
    head.fields.push_back(add_line(lines, kRequestIdName, hop.request_id));
  }
  if (hop.config.via) {
    std::string entry = head.version < 11 ? "1.0 " : "1.1 ";
    head.fields.push_back(add_line(lines, "Via", entry.append(kViaName)));
  }
  if (hop.config.x_forwarded != config::XForwarded::off) add_forwarded(head, hop, lines);
  return std::nullopt;
}

}  // namespace qrerank::proxy::http
