#include "proxy/observe/log.hpp"

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "proxy/observe/line_writer.hpp"

namespace qrerank::proxy::observe::log {
namespace {

// What a reader of standard error is given at the end to take the lines that wait.
constexpr std::chrono::seconds kLastLines{2};

std::atomic<Level> least{Level::info};
std::atomic<config::LogFormat> line_format{config::LogFormat::text};
std::mutex writer_lock;  // guards writer
std::shared_ptr<LineWriter> writer;

std::shared_ptr<LineWriter> swap_writer(std::shared_ptr<LineWriter> next) {
  const std::lock_guard hold(writer_lock);
  writer.swap(next);
  return next;
}

std::shared_ptr<LineWriter> current_writer() {
  const std::lock_guard hold(writer_lock);
  return writer;
}

}  // namespace

void start(const config::Log& settings) {
  least = level_named(settings.level);
  line_format = settings.format;
  swap_writer(std::make_shared<LineWriter>(STDERR_FILENO));
}

// The writer's last owner writes what waits. Where nobody reads what is written,
// that never ends: the rest is given up, and the thread ends with the process.
void stop() {
  auto last = swap_writer(nullptr);
  if (last == nullptr) return;
  std::promise<void> written;
  const auto done = written.get_future();
  std::thread writing([last = std::move(last), written = std::move(written)]() mutable {
    last.reset();
    written.set_value();
  });
  if (done.wait_for(kLastLines) == std::future_status::ready) {
    writing.join();
  } else {
    writing.detach();
  }
}

void set_level(Level wanted) {
  least = wanted;
}

Level level() {
  return least.load(std::memory_order_relaxed);
}

bool enabled(Level asked) {
  return asked >= level();
}

std::uint64_t dropped_lines() {
  const auto current = current_writer();
  return current == nullptr ? 0 : current->dropped();
}

void write(Level at, std::string_view request_id, std::string_view message, Fields fields) {
  thread_local std::string line;
  line.clear();
  append_line(line, std::chrono::system_clock::now(), line_format, at, request_id, message,
              {fields.begin(), fields.size()});
  if (const auto current = current_writer()) {
    current->write(line);
  } else {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
}

}  // namespace qrerank::proxy::observe::log
