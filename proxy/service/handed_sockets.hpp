// Socket activation: listening sockets that a service manager opened and handed over (sd_listen_fds(3)).
// While the program restarts they stay open, and clients wait instead of being refused.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "proxy/service/environment.hpp"

namespace qrerank::proxy::service {

/// What $LISTEN_PID, $LISTEN_FDS and $LISTEN_FDNAMES said.
struct Handed {
  int first = 3;  ///< descriptor of the first one
  int count = 0;
  std::vector<std::string> names;  ///< one a descriptor, or empty: none were said
};

/// Pure. Variables that are for another process, or absent, hand nothing over. The error names the variable.
tl::expected<Handed, std::string> read_handed(const Environment& environment, long own_pid);

/// Which descriptor is whose listener; unset: the program opens that one itself.
struct Listeners {
  std::optional<int> proxy;
  std::optional<int> admin;
  std::map<std::string, int> relays;  ///< by their names under `relays`
};

/// By the names `proxy`, `admin` and `relays.NAME` (FileDescriptorName= in the socket unit), NAME being one
/// of `relays`; where none of them has one of these names, the first is the proxy's and the second, if any,
/// the admin listener's. Each must be a listening TCP socket with an address of its own, and is closed in
/// programs that this one starts.
tl::expected<Listeners, std::string> take_handed(const Handed& handed,
                                                 const std::vector<std::string>& relays);

}  // namespace qrerank::proxy::service
