#include "proxy/observe/line_writer.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace qrerank::proxy::observe {
namespace {

// Then the thread does not wait for more.
constexpr std::size_t kMany = LineWriter::kMaxWaiting / 4;

}  // namespace

LineWriter::LineWriter(int descriptor) : descriptor_(descriptor), thread_([this] { run(); }) {}

LineWriter::~LineWriter() {
  {
    const std::lock_guard hold(lock_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void LineWriter::write(std::string_view line) {
  bool wake = false;
  {
    const std::lock_guard hold(lock_);
    const std::size_t before = waiting_.size();
    if (before + line.size() + 1 > kMaxWaiting) {
      ++dropped_;
      return;
    }
    waiting_ += line;
    waiting_ += '\n';
    wake = idle_ || (before < kMany && waiting_.size() >= kMany);
    idle_ = false;
  }
  if (wake) changed_.notify_one();
}

std::uint64_t LineWriter::dropped() const {
  const std::lock_guard hold(lock_);
  return dropped_;
}

void LineWriter::run() {
  std::string lines;
  std::unique_lock hold(lock_);
  for (;;) {
    idle_ = waiting_.empty();
    changed_.wait(hold, [this] { return ending_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    lines.clear();
    lines.swap(waiting_);
    hold.unlock();
    put(lines);
    hold.lock();
    changed_.wait_for(hold, kTogether, [this] { return ending_ || waiting_.size() >= kMany; });
  }
}

void LineWriter::put(std::string_view lines) {
  std::string_view end = "\n";
  if (cut_ && !take(end)) {
    count_lost(lines);
    return;
  }
  cut_ = false;
  const std::size_t all = lines.size();
  if (take(lines)) return;
  cut_ = lines.size() < all && lines.data()[-1] != '\n';
  count_lost(lines);
}

// False: the descriptor takes no more, `rest` is what it has not taken.
bool LineWriter::take(std::string_view& rest) const {
  while (!rest.empty()) {
    const auto taken = ::write(descriptor_, rest.data(), rest.size());
    if (taken > 0) {
      rest.remove_prefix(static_cast<std::size_t>(taken));
    } else if (taken < 0 && errno == EAGAIN) {  // somebody who shares it made it non-blocking
      pollfd room{descriptor_, POLLOUT, 0};
      ::poll(&room, 1, -1);
    } else if (taken == 0 || errno != EINTR) {
      return false;  // nowhere is left to say it
    }
  }
  return true;
}

void LineWriter::count_lost(std::string_view lines) {
  const std::lock_guard hold(lock_);
  dropped_ += static_cast<std::uint64_t>(std::ranges::count(lines, '\n'));
}

}  // namespace qrerank::proxy::observe
