#include "reranker/manager/machine_memory.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <string>
#include <string_view>

namespace qrerank::reranker::manager {
namespace {

namespace fs = std::filesystem;
using model::DeviceMemory;

std::optional<std::uint64_t> number(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

// The number of a file that holds one; empty for "max".
std::optional<std::uint64_t> number_in(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  return std::getline(file, line) ? number(line) : std::nullopt;
}

// The number behind `key` at the start of a line.
std::optional<std::uint64_t> number_of(const fs::path& path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key)) {
      return number(std::string_view(line).substr(key.size()));
    }
  }
  return std::nullopt;
}

// One version's names of the same three things.
struct Names {
  const char* mount;
  const char* limit;
  const char* usage;
  const char* droppable;  // a line of memory.stat
};
constexpr Names kVersion2{"sys/fs/cgroup", "memory.max", "memory.current", "inactive_file "};
constexpr Names kVersion1{"sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
                          "total_inactive_file "};

void apply_limit(const fs::path& group, const Names& names, DeviceMemory& memory) {
  const auto limit = number_in(group / names.limit);
  const auto usage = number_in(group / names.usage);
  if (!limit || !usage || *limit >= memory.total) {
    return;  // version 1 writes a huge number for "none"
  }
  const auto droppable = number_of(group / "memory.stat", names.droppable).value_or(0);
  const auto used = *usage - std::min(*usage, droppable);
  memory.total = *limit;
  memory.free = std::min(memory.free, *limit - std::min(*limit, used));
}

// From the process's own group up to the mount. In a container the path may be the host's: then only the
// mount is there.
void apply_limits(const fs::path& root, std::string_view group, const Names& names, DeviceMemory& memory) {
  const fs::path mount = root / names.mount;
  fs::path relative = fs::path(group).relative_path().lexically_normal();
  if (relative.begin() != relative.end() && *relative.begin() == "..") {
    relative.clear();  // outside what is mounted here
  }
  while (true) {
    apply_limit(mount / relative, names, memory);
    if (relative.empty() || relative == ".") {
      return;
    }
    relative = relative.parent_path();
  }
}

}  // namespace

std::optional<DeviceMemory> main_memory(const fs::path& root) {
  const fs::path meminfo = root / "proc/meminfo";
  const auto total = number_of(meminfo, "MemTotal:");
  const auto available = number_of(meminfo, "MemAvailable:");
  if (!total || !available) {
    return std::nullopt;
  }
  DeviceMemory memory{*available * 1024, *total * 1024};
  std::ifstream groups(root / "proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // "0::/path" or "7:memory:/path"
    const auto controllers = line.find(':');
    const auto path = controllers == std::string::npos ? controllers : line.find(':', controllers + 1);
    if (path == std::string::npos) {
      continue;
    }
    const auto named = std::string_view(line).substr(controllers + 1, path - controllers - 1);
    const auto group = std::string_view(line).substr(path + 1);
    if (named.empty()) {
      apply_limits(root, group, kVersion2, memory);
    } else if ((',' + std::string(named) + ',').find(",memory,") != std::string::npos) {
      apply_limits(root, group, kVersion1, memory);
    }
  }
  return memory;
}

}  // namespace qrerank::reranker::manager
