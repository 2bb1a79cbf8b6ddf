// The configuration and its keys for people: the effective settings as YAML, the reference page as Markdown.
#pragma once

#include <span>
#include <string>

#include "proxy/config/config.hpp"
#include "proxy/config/schema.hpp"

namespace qrerank::proxy::config {

/// Every setting with its value, as YAML that load() reads back to the same configuration (secrets aside,
/// which show as "<secret>").
std::string print_effective(const Config& config, std::span<const Key> keys = schema());

/// The same with a comment behind each value: where it was said, as Config::origins has it, or "default".
std::string print_with_origins(const Config& config);

/// docs/configuration.md, whole.
std::string print_reference();

}  // namespace qrerank::proxy::config
