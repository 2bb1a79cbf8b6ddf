// Lines to a descriptor by a thread of its own, many with one write. Thread-safe.
//
// Own code where a library (spdlog) was before: its thread is woken for each line and writes each by itself,
// which doubled what a request costs that passes through (docs/benchmarks.md, "What watching costs").
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace qrerank::proxy::observe {

class LineWriter {
 public:
  /// Bytes that wait; what comes beyond is dropped and counted.
  static constexpr std::size_t kMaxWaiting = std::size_t{1} << 20;
  /// A line after a silence is written at once, those behind it together, after this long.
  static constexpr std::chrono::milliseconds kTogether{20};

  /// Starts the thread. `descriptor` stays the caller's.
  explicit LineWriter(int descriptor);
  /// Writes what waits. Does not return while the descriptor takes nothing.
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  /// Never waits for the descriptor. `line` has no newline.
  void write(std::string_view line);

  /// Lines that did not fit, or that the descriptor did not take (a full disk).
  [[nodiscard]] std::uint64_t dropped() const;

 private:
  void run();
  void put(std::string_view lines);
  [[nodiscard]] bool take(std::string_view& rest) const;
  void count_lost(std::string_view lines);

  const int descriptor_;
  mutable std::mutex lock_;  // guards what follows, up to cut_
  std::condition_variable changed_;
  std::string waiting_;
  std::uint64_t dropped_ = 0;
  bool idle_ = false;  // the thread waits for a line
  bool ending_ = false;
  bool cut_ = false;  // the thread's own: the last line that was begun has no end
  std::thread thread_;
};

}  // namespace qrerank::proxy::observe
