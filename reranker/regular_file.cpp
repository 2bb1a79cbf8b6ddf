#include "reranker/regular_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace qrerank::reranker {
namespace {

tl::unexpected<std::string> system_error(const std::filesystem::path& path) {
  return tl::unexpected(path.string() + ": " + std::strerror(errno));
}

}  // namespace

tl::expected<RegularFile, std::string> RegularFile::open(const std::filesystem::path& path) {
  // Without O_NONBLOCK opening a pipe waits until somebody writes to it; to a file it means nothing.
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return system_error(path);
  RegularFile file(descriptor, 0);
  struct stat status{};
  if (::fstat(descriptor, &status) != 0) return system_error(path);
  if (!S_ISREG(status.st_mode)) return tl::unexpected(path.string() + ": not a regular file");
  file.size_ = static_cast<std::uint64_t>(status.st_size);
  return file;
}

RegularFile::~RegularFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

tl::expected<std::string, std::string> read_regular_file(const std::filesystem::path& path,
                                                         std::uint64_t max_bytes) {
  const auto file = RegularFile::open(path);
  if (!file) return tl::unexpected(file.error());
  if (file->size() > max_bytes) {
    return tl::unexpected(path.string() + ": expected at most " + std::to_string(max_bytes) +
                          " bytes, found " + std::to_string(file->size()));
  }
  std::string text(file->size(), '\0');
  std::size_t have = 0;
  while (have < text.size()) {
    const auto got = ::read(file->descriptor(), text.data() + have, text.size() - have);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(path);
    if (got == 0) break;  // shorter than a moment ago
    have += static_cast<std::size_t>(got);
  }
  text.resize(have);
  return text;
}

}  // namespace qrerank::reranker
