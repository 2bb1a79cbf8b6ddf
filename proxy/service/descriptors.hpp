// How many descriptors the process may have, against how many it can come to need.
#pragma once

#include <cstdint>

#include "proxy/config/config.hpp"

namespace qrerank::proxy::service {

/// Opens /dev/null where standard input, output or error is closed: else the first socket would take that
/// number, and be written what is meant for a terminal. To be called before anything is opened.
void fill_standard_descriptors();

/// Two for each client of the proxy and of the relays (its own and one to the upstream), and some for all
/// else: listeners, logs, models' files, connections of the admin listener and kept idle ones of the
/// upstream's pool.
[[nodiscard]] std::uint64_t needed_descriptors(const config::Config& config);

/// Raises the soft limit to the hard one and returns what holds then; 0 when the system does not tell.
std::uint64_t raise_descriptor_limit();

}  // namespace qrerank::proxy::service
