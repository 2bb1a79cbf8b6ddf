// The spellings of values in the configuration, and back: durations, sizes, addresses. Pure; knows no key.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/config/config.hpp"

namespace qrerank::proxy::config {

/// A whole number with its unit: "250ms", "5s", "2m", "1h". Nothing for anything else, and on overflow.
std::optional<Milliseconds> parse_duration(std::string_view text);

/// The shortest spelling that parse_duration reads back: 5000 ms → "5s".
std::string print_duration(Milliseconds duration);

/// A whole number of bytes, bare or with B, KiB, MiB, GiB: "512MiB". Powers of ten are not known: "MB" means
/// two things. Nothing for anything else, and on overflow.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// The shortest spelling that parse_size reads back: 33554432 → "32MiB".
std::string print_size(std::uint64_t bytes);

/// A decimal whole number, with a sign where negative.
std::optional<std::int64_t> parse_integer(std::string_view text);

/// "true", "false" in any case, "1", "0".
std::optional<bool> parse_boolean(std::string_view text);

/// A name or IPv4 address: letters, digits, dots, hyphens and underscores, at most 253.
[[nodiscard]] bool is_host_name(std::string_view text);

/// "HOST:PORT" or "[IPv6]:PORT"; the host keeps its brackets. `default_port` stands in for a missing port.
std::optional<Endpoint> parse_endpoint(std::string_view text,
                                       std::optional<std::uint16_t> default_port = std::nullopt);

/// "http://HOST[:PORT]" or "https://HOST[:PORT]", with a trailing slash at most; the port is 6333 when
/// absent, as Qdrant's clients have it.
std::optional<UpstreamUrl> parse_upstream_url(std::string_view text);

}  // namespace qrerank::proxy::config
