#include "proxy/observe/process.hpp"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

namespace qrerank::proxy::observe {
namespace {

std::string line_of(const char* path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

// Seconds since 1970 when the machine started.
double boot_seconds() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return 0;
}

std::uint64_t count_descriptors() {
  DIR* folder = ::opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  std::uint64_t entries = 0;
  while (::readdir(folder) != nullptr) ++entries;
  ::closedir(folder);
  constexpr std::uint64_t kNotOurs = 3;  // "." and "..", and the folder itself
  return entries > kNotOurs ? entries - kNotOurs : 0;
}

}  // namespace

ProcessStat parse_stat(std::string_view line) {
  ProcessStat stat;
  const auto name_end = line.rfind(')');
  if (name_end == std::string_view::npos) return stat;
  // Fields as proc(5) numbers them; the first behind the name is the third.
  constexpr std::size_t kFirst = 3;
  constexpr std::size_t kUserTicks = 14;
  constexpr std::size_t kSystemTicks = 15;
  constexpr std::size_t kThreads = 20;
  constexpr std::size_t kStart = 22;
  constexpr std::size_t kResident = 24;
  std::istringstream words{std::string(line.substr(name_end + 1))};
  std::string word;
  for (std::size_t field = kFirst; field <= kResident && words >> word; ++field) {
    std::istringstream number(word);
    std::uint64_t value = 0;
    if (!(number >> value)) continue;
    if (field == kUserTicks || field == kSystemTicks) stat.cpu_ticks += value;
    if (field == kThreads) stat.threads = value;
    if (field == kStart) stat.start_ticks = value;
    if (field == kResident) stat.resident_pages = value;
  }
  return stat;
}

ProcessSample sample_process() {
  static const double boot = boot_seconds();
  const auto ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  const ProcessStat stat = parse_stat(line_of("/proc/self/stat"));
  ProcessSample sample;
  sample.start_seconds = boot + static_cast<double>(stat.start_ticks) / ticks_per_second;
  sample.cpu_seconds = static_cast<double>(stat.cpu_ticks) / ticks_per_second;
  sample.threads = stat.threads;
  sample.resident_bytes = stat.resident_pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  sample.open_descriptors = count_descriptors();
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) sample.max_descriptors = limit.rlim_cur;
  return sample;
}

}  // namespace qrerank::proxy::observe
