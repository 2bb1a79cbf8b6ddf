#include "proxy/service/descriptors.hpp"

#include <sys/resource.h>

#include <limits>

namespace qrerank::proxy::service {
namespace {

constexpr std::uint64_t kForTheRest = 256;

}  // namespace

std::uint64_t needed_descriptors(const config::Proxy& proxy) {
  return 2 * static_cast<std::uint64_t>(proxy.max_connections) + kForTheRest;
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
