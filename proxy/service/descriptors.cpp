#include "proxy/service/descriptors.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <limits>

namespace qrerank::proxy::service {
namespace {

constexpr std::uint64_t kForTheRest = 256;

}  // namespace

void fill_standard_descriptors() {
  for (int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(standard, F_GETFD) == -1 && errno == EBADF) {
      // The lowest free number is taken: this one. Without /dev/null there is nothing better to do.
      static_cast<void>(::open("/dev/null", O_RDWR));
    }
  }
}

std::uint64_t needed_descriptors(const config::Config& config) {
  std::uint64_t clients = config.proxy.max_connections;
  for (const auto& relay : config.relays) clients += relay.max_connections;
  return 2 * clients + kForTheRest;
}

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  const rlimit before = limit;
  limit.rlim_cur = limit.rlim_max;
  if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit = before;  // the old one holds on
  return limit.rlim_cur == RLIM_INFINITY ? std::numeric_limits<std::uint64_t>::max() : limit.rlim_cur;
}

}  // namespace qrerank::proxy::service
