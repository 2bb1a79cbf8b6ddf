#include "proxy/config/secret_file.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace qrerank::proxy::config {
namespace {

constexpr std::size_t kMaxBytes = 4096;

}  // namespace

tl::expected<Secret, std::string> read_secret_file(const std::string& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::array<char, kMaxBytes + 1> bytes{};
  if (!file || !file.read(bytes.data(), bytes.size()).eof()) {
    const bool too_long = file.good();
    return tl::unexpected(
        path + ": " +
        (too_long ? std::string("longer than 4 KiB")
                  : std::string("cannot be read: ") + (errno != 0 ? std::strerror(errno) : "it is no file")));
  }
  std::string text(bytes.data(), static_cast<std::size_t>(file.gcount()));
  OPENSSL_cleanse(bytes.data(), bytes.size());
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return Secret(std::move(text));
}

std::optional<std::string> exposure_of(const std::string& path) {
  struct stat file{};
  if (::stat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode)) return std::nullopt;
  const auto others = file.st_mode & (S_IRWXG | S_IRWXO);
  if ((others & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)) == 0) return std::nullopt;
  const bool write = (others & (S_IWGRP | S_IWOTH)) != 0;
  return fmt::format("mode {:04o}: others than its owner can {} it (chmod 600)", file.st_mode & 07777,
                     write ? "write" : "read");
}

}  // namespace qrerank::proxy::config
