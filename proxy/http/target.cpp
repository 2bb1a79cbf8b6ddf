#include "proxy/http/target.hpp"

#include <algorithm>
#include <charconv>

#include "proxy/http/message.hpp"

namespace qrerank::proxy::http {
namespace {

bool is_alnum(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// Of a registered name (RFC 3986 §3.2.2); whether a % is followed by two digits is the resolver's matter.
bool is_name(std::string_view host) {
  static constexpr std::string_view kSigns = "-._~%!$&'()*+;=";
  return std::all_of(host.begin(), host.end(),
                     [](char c) { return is_alnum(c) || kSigns.find(c) != std::string_view::npos; });
}

// Between the brackets: hexadecimal digits, colons and dots, and at least two colons.
bool is_ip_literal(std::string_view host) {
  const auto allowed = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F') || (c >= 'a' && c <= 'f') || c == ':' || c == '.';
  };
  return std::count(host.begin(), host.end(), ':') >= 2 && std::all_of(host.begin(), host.end(), allowed);
}

bool is_port(std::string_view port) {
  if (port.empty()) return true;  // RFC 3986 §3.2.3 allows the colon alone
  unsigned number = 0;
  const auto [end, bad] = std::from_chars(port.data(), port.data() + port.size(), number);
  return bad == std::errc{} && end == port.data() + port.size() && number <= 65535;
}

}  // namespace

bool is_host(std::string_view value) {
  if (value.starts_with('[')) {
    const std::size_t close = value.find(']');
    if (close == std::string_view::npos || !is_ip_literal(value.substr(1, close - 1))) return false;
    const std::string_view behind = value.substr(close + 1);
    return behind.empty() || (behind.front() == ':' && is_port(behind.substr(1)));
  }
  const std::size_t colon = value.find(':');
  if (colon == std::string_view::npos) return is_name(value);
  return colon > 0 && is_name(value.substr(0, colon)) && is_port(value.substr(colon + 1));
}

std::optional<Target> parse_target(std::string_view method, std::string_view target) {
  if (target.find('#') != std::string_view::npos) return std::nullopt;
  if (target.starts_with('/')) return Target{TargetForm::origin, {}, target};
  if (target == "*" && method == "OPTIONS") return Target{TargetForm::asterisk, {}, target};
  const std::size_t scheme = target.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  const std::string_view name = target.substr(0, scheme);
  if (!iequals(name, "http") && !iequals(name, "https")) return std::nullopt;
  const std::string_view rest = target.substr(scheme + 3);
  const std::size_t end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, end);
  if (authority.empty() || !is_host(authority)) return std::nullopt;
  return Target{TargetForm::absolute, authority, rest.substr(end)};
}

std::string path_segment(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

}  // namespace qrerank::proxy::http
