#include "proxy/config/secret_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <utility>

#include "proxy/config/read_file.hpp"

namespace qrerank::proxy::config {
namespace {

constexpr std::size_t kMaxBytes = 4096;

}  // namespace

tl::expected<Secret, std::string> read_secret_file(const std::string& path) {
  auto text = read_file(path, kMaxBytes);
  if (!text) return tl::unexpected(path + ": " + text.error());
  while (text->ends_with('\n') || text->ends_with('\r')) text->pop_back();
  return Secret(std::move(*text));
}

std::optional<std::string> exposure_of(const std::string& path, Readers readers) {
  struct stat file{};
  if (::stat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) return std::nullopt;
  const bool group = readers == Readers::owner_and_group;
  const mode_t may_not = S_IROTH | S_IWOTH | S_IWGRP | (group ? 0U : S_IRGRP);
  if ((file.st_mode & may_not) == 0) return std::nullopt;
  const bool write = (file.st_mode & (S_IWGRP | S_IWOTH)) != 0;
  return fmt::format("mode {:04o}: others than its owner{} can {} it (chmod {})", file.st_mode & 07777,
                     group && !write ? " and group" : "", write ? "write" : "read", group ? 640 : 600);
}

}  // namespace qrerank::proxy::config
