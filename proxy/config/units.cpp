#include "proxy/config/units.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <limits>

namespace qrerank::proxy::config {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

// Largest first: printing takes the first that divides.
constexpr std::array kDurationUnits = {Unit{"h", 3'600'000}, Unit{"m", 60'000}, Unit{"s", 1'000},
                                       Unit{"ms", 1}};
constexpr std::array kSizeUnits = {Unit{"GiB", 1u << 30}, Unit{"MiB", 1u << 20}, Unit{"KiB", 1u << 10},
                                   Unit{"B", 1}};

template <std::size_t N>
std::optional<std::uint64_t> parse_with_unit(std::string_view text, const std::array<Unit, N>& units,
                                             bool unit_may_be_absent, std::uint64_t max) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end == text.data()) {
    return std::nullopt;
  }
  const std::string_view name(end, text.data() + text.size() - end);
  std::uint64_t factor = 1;
  if (!name.empty() || !unit_may_be_absent) {
    const auto unit = std::ranges::find(units, name, &Unit::name);
    if (unit == units.end()) {
      return std::nullopt;
    }
    factor = unit->factor;
  }
  if (count > max / factor) {
    return std::nullopt;
  }
  return count * factor;
}

template <std::size_t N>
std::string print_with_unit(std::uint64_t value, const std::array<Unit, N>& units) {
  const auto unit = std::ranges::find_if(
      units, [&](const Unit& u) { return u.factor == 1 || (value != 0 && value % u.factor == 0); });
  return std::to_string(value / unit->factor) + std::string(unit->name);
}

bool is_host(std::string_view host) {
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    const auto inside = host.substr(1, host.size() - 2);
    return inside.find(':') != std::string_view::npos && std::ranges::all_of(inside, [](unsigned char c) {
             return std::isxdigit(c) != 0 || c == ':' || c == '.';
           });
  }
  return is_host_name(host);
}

}  // namespace

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 && std::ranges::all_of(text, [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_');
  });
}

std::optional<Milliseconds> parse_duration(std::string_view text) {
  const auto count = parse_with_unit(text, kDurationUnits, false,
                                     static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
  if (!count) {
    return std::nullopt;
  }
  return Milliseconds(*count);
}

std::string print_duration(Milliseconds duration) {
  return print_with_unit(static_cast<std::uint64_t>(duration.count()), kDurationUnits);
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  return parse_with_unit(text, kSizeUnits, true, std::numeric_limits<std::uint64_t>::max());
}

std::string print_size(std::uint64_t bytes) {
  return print_with_unit(bytes, kSizeUnits);
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return value;
}

std::optional<bool> parse_boolean(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (lower == "true" || lower == "1") {
    return true;
  }
  if (lower == "false" || lower == "0") {
    return false;
  }
  return std::nullopt;
}

std::optional<Endpoint> parse_endpoint(std::string_view text, std::optional<std::uint16_t> default_port) {
  // A colon inside brackets belongs to the address.
  const auto bracket = text.rfind(']');
  const auto colon = text.find(':', bracket == std::string_view::npos ? 0 : bracket);
  Endpoint endpoint{std::string(text.substr(0, colon)), default_port.value_or(0)};
  if (!is_host(endpoint.host) || (colon == std::string_view::npos && !default_port)) {
    return std::nullopt;
  }
  if (colon != std::string_view::npos) {
    const auto port_text = text.substr(colon + 1);
    const auto port = parse_integer(port_text);
    if (!port || *port < 0 || *port > 65535 || port_text.front() == '-') {
      return std::nullopt;
    }
    endpoint.port = static_cast<std::uint16_t>(*port);
  }
  return endpoint;
}

std::optional<UpstreamUrl> parse_upstream_url(std::string_view text) {
  const bool tls = text.starts_with("https://");
  if (!tls && !text.starts_with("http://")) {
    return std::nullopt;
  }
  auto authority = text.substr(text.find("//") + 2);
  if (authority.ends_with('/')) {
    authority.remove_suffix(1);
  }
  const auto address = parse_endpoint(authority, std::uint16_t{6333});
  if (!address || address->port == 0) {
    return std::nullopt;
  }
  return UpstreamUrl{std::string(text), *address, tls};
}

}  // namespace qrerank::proxy::config
