// Files that hold secrets: reading one, and who else may.
#pragma once

#include <optional>
#include <string>
#include <tl/expected.hpp>

#include "proxy/config/secret.hpp"

namespace qrerank::proxy::config {

/// The text of a file without the newline at its end; at most 4 KiB. The error says why, and holds no part of
/// the text.
tl::expected<Secret, std::string> read_secret_file(const std::string& path);

enum class Readers { owner, owner_and_group };

/// "mode 0644: others than its owner can read it (chmod 600)". Nothing when only those can who may, or when
/// the system does not tell.
std::optional<std::string> exposure_of(const std::string& path, Readers readers = Readers::owner);

}  // namespace qrerank::proxy::config
