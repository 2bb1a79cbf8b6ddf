// This process as the kernel sees it (/proc/self). What cannot be read is 0.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace qrerank::proxy::observe {

struct ProcessSample {
  double start_seconds = 0;  ///< since 1970, to within a tick
  double cpu_seconds = 0;
  std::uint64_t open_descriptors = 0;
  std::uint64_t max_descriptors = 0;
  std::uint64_t resident_bytes = 0;
  std::uint64_t threads = 0;
};

[[nodiscard]] ProcessSample sample_process();

/// What /proc/PID/stat says of it. Pure, for tests: the program's name in it may hold spaces and brackets.
struct ProcessStat {
  std::uint64_t cpu_ticks = 0;
  std::uint64_t threads = 0;
  std::uint64_t start_ticks = 0;  ///< since the machine started
  std::uint64_t resident_pages = 0;
};
[[nodiscard]] ProcessStat parse_stat(std::string_view line);

}  // namespace qrerank::proxy::observe
