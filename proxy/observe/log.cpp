#include "proxy/observe/log.hpp"

#include <spdlog/async.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <future>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace qrerank::proxy::observe::log {
namespace {

constexpr std::size_t kQueuedLines = 8192;
// What a reader of standard error is given at the end to take the lines that wait.
constexpr std::chrono::seconds kLastLines{2};

std::atomic<std::uint64_t> unwritten{0};  // lines that standard error did not take, the disk being full

// Past the C library's stream: while a write of it waits for a reader, nobody gets its lock, and the end of
// the program asks for it.
class StandardError final : public spdlog::sinks::base_sink<std::mutex> {
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    if (cut_) line.push_back('\n');
    formatter_->format(message, line);
    for (std::size_t sent = 0; sent < line.size();) {
      const auto taken = ::write(STDERR_FILENO, line.data() + sent, line.size() - sent);
      if (taken < 0 && errno != EINTR) {  // nowhere is left to say it
        unwritten.fetch_add(1, std::memory_order_relaxed);
        cut_ = cut_ || sent > 0;
        return;
      }
      sent += taken < 0 ? 0 : static_cast<std::size_t>(taken);
    }
    cut_ = false;
  }
  void flush_() override {}

  bool cut_ = false;  // the last line that was begun has no end
};

struct Writer {
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
};

std::atomic<Level> least{Level::info};
std::atomic<config::LogFormat> line_format{config::LogFormat::text};
std::mutex writer_lock;  // guards writer
std::shared_ptr<const Writer> writer;

std::shared_ptr<const Writer> swap_writer(std::shared_ptr<const Writer> next) {
  const std::lock_guard hold(writer_lock);
  writer.swap(next);
  return next;
}

std::shared_ptr<const Writer> current_writer() {
  const std::lock_guard hold(writer_lock);
  return writer;
}

}  // namespace

void start(const config::Log& settings) {
  least = level_named(settings.level);
  line_format = settings.format;
  auto made = std::make_shared<Writer>();
  made->pool = std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1);
  made->logger =
      std::make_shared<spdlog::async_logger>("qrerank", std::make_shared<StandardError>(), made->pool,
                                             spdlog::async_overflow_policy::overrun_oldest);
  made->logger->set_pattern("%v");  // lines come formatted
  made->logger->set_level(spdlog::level::trace);
  made->logger->set_error_handler([](const std::string&) {});  // nowhere is left to say it
  swap_writer(std::move(made));
}

// The last owner of the pool writes what waits, then joins its thread. Where nobody reads what is written,
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
  const std::uint64_t overrun = current == nullptr ? 0 : current->pool->overrun_counter();
  return overrun + unwritten.load(std::memory_order_relaxed);
}

void write(Level at, std::string_view request_id, std::string_view message, Fields fields) {
  const auto line = format_line(std::chrono::system_clock::now(), line_format, at, request_id, message,
                                {fields.begin(), fields.size()});
  if (const auto current = current_writer()) {
    current->logger->log(spdlog::level::info, spdlog::string_view_t(line));
  } else {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
}

}  // namespace qrerank::proxy::observe::log
