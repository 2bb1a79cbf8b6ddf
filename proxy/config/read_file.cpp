#include "proxy/config/read_file.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "proxy/config/units.hpp"

namespace qrerank::proxy::config {
namespace {

struct Descriptor {
  explicit Descriptor(int opened) : number(opened) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number >= 0) ::close(number);
  }
  const int number;
};

tl::unexpected<std::string> unreadable(int error) {
  return tl::unexpected(std::string("cannot be read: ") + std::strerror(error));
}

}  // namespace

tl::expected<std::string, std::string> read_file(const std::string& path, std::size_t most,
                                                 std::chrono::milliseconds patience) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.number < 0) return unreadable(errno);
  std::string text(most + 1, '\0');
  std::size_t size = 0;
  while (size <= most) {
    pollfd waiting{file.number, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(patience.count()));
    if (ready == 0) return tl::unexpected(std::string("cannot be read: a pipe that brings nothing"));
    const ssize_t got = ready < 0 ? -1 : ::read(file.number, text.data() + size, text.size() - size);
    if (got < 0 && errno == EAGAIN) continue;  // somebody else has read it
    if (got < 0) return unreadable(errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > most) return tl::unexpected("longer than " + print_size(most));
  text.resize(size);
  return text;
}

}  // namespace qrerank::proxy::config
