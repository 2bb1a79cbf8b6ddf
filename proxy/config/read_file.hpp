// A small file as a whole: the configuration, a secret.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <tl/expected.hpp>

namespace qrerank::proxy::config {

/// At most `most` bytes. The error says why, without the path, and holds no part of the text. A pipe has so
/// long to bring something: whoever reloads has other work, and must not hang for one that nobody writes to.
tl::expected<std::string, std::string> read_file(
    const std::string& path, std::size_t most,
    std::chrono::milliseconds patience = std::chrono::milliseconds(10'000));

}  // namespace qrerank::proxy::config
